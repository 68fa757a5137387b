// The head of a row or a column switches all in it, and shows whether all, some or none of them are off.
element.addEventListener("change", ({ target }) => {
  const boxes = [...element.querySelectorAll("input[value]")];
  const under = (head) => boxes.filter((box) => box.value.split("/").includes(head.dataset.all));
  if (target.dataset.all) for (const box of under(target)) box.checked = target.checked;
  for (const head of element.querySelectorAll("input[data-all]")) {
    const off = under(head).filter((box) => box.checked).length;
    head.checked = off === under(head).length;
    head.indeterminate = off > 0 && !head.checked;
  }
  trigger("input");
});
