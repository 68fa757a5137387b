// Paper has the colours of the light theme.
let wasDark = false;

addEventListener("beforeprint", () => {
  wasDark = document.body.classList.contains("dark");
  document.body.classList.remove("dark");
});
addEventListener("afterprint", () => document.body.classList.toggle("dark", wasDark));
