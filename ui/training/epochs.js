// The slider of the time machine: every frame is here already, so moving it asks nobody.
const within = (selector) => element.querySelectorAll(selector);

// As `percent` in verdict.py: only certainty reads 100.00, only 0 reads 0.00.
const percent = (p) => {
  const text = (100 * p).toFixed(2);
  if (text === "100.00" && p < 1) return ">99.99";
  return text === "0.00" && p > 0 ? "<0.01" : text;
};

const show = (epoch) => {
  const [slider] = within("input[type=range]");
  slider.value = epoch;
  const [output] = within("output");
  output.dataset.values = JSON.stringify({ epoch, last: +slider.max });
  for (const figure of within("figure[data-frames]")) {
    const frames = JSON.parse(figure.dataset.frames);
    const frame = frames[Math.min(epoch, frames.length - 1)];
    const most = Math.max(...frame);
    figure.querySelectorAll("tr").forEach((row, index) => {
      row.classList.toggle("machine-first", frame[index] === most);
      row.querySelector("td i").style.setProperty("--p", frame[index]);
      row.lastElementChild.textContent = percent(frame[index]);
    });
  }
  for (const cursor of within(".chart-cursor")) {
    const x = +cursor.dataset.left + (cursor.dataset.width * epoch) / slider.max;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
  }
};

let playing = 0;
const stop = () => (playing = clearInterval(playing));

element.addEventListener("input", (event) => {
  stop();
  if (event.target.type === "range") show(+event.target.value);
});

// From the start to the end in about six seconds.
element.addEventListener("click", (event) => {
  if (!event.target.closest(".machine-control button")) return;
  const [slider] = within("input[type=range]");
  let epoch = 0;
  stop();
  show(epoch);
  playing = setInterval(() => {
    if (!slider.isConnected || epoch >= +slider.max) return stop();
    show(++epoch);
  }, Math.max(60, 6000 / slider.max));
});

// Another drawing.
watch("value", () => {
  stop();
  const [slider] = within("input[type=range]");
  if (slider) show(+slider.max);
});
