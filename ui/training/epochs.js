// The slider over the epochs. The page holds the probabilities of all epochs, so moving it sends no request.
const SHORTEST = 60; // milliseconds of an epoch at least
const DURATION = 6000; // milliseconds of playing all epochs
const FAINT = 0.005; // as in numbers.py

// As `percent` in numbers.py: only certainty reads 100.00, only 0 reads 0.00.
function percent(p) {
  const text = (100 * p).toFixed(2);
  if (text === "100.00" && p < 1) return ">99.99";
  return text === "0.00" && p > 0 ? "<0.01" : text;
}

function showFrame(figure, epoch) {
  const frames = JSON.parse(figure.dataset.frames);
  const frame = frames[Math.min(epoch, frames.length - 1)];
  const most = Math.max(...frame);
  figure.querySelectorAll("tr").forEach((row, index) => {
    row.classList.toggle("epochs-predicted", frame[index] === most);
    row.querySelector("td i").style.setProperty("--p", frame[index]);
    row.lastElementChild.classList.toggle("faint", frame[index] < FAINT);
    row.lastElementChild.firstElementChild.textContent = percent(frame[index]);
  });
}

export function mount({ element, watch }) {
  const slider = () => element.querySelector("input[type=range]");
  let playing = 0;

  function show(epoch) {
    const { max } = Object.assign(slider(), { value: epoch });
    element.querySelector("output").dataset.values = JSON.stringify({ epoch, last: +max });
    for (const figure of element.querySelectorAll("figure[data-frames]")) showFrame(figure, epoch);
    for (const cursor of element.querySelectorAll(".chart-cursor")) {
      const x = +cursor.dataset.left + (cursor.dataset.width * epoch) / max;
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
    }
  }

  function stop() {
    playing = clearInterval(playing);
  }

  function play() {
    const mine = slider();
    let epoch = 0;
    stop();
    show(epoch);
    playing = setInterval(
      () => {
        if (!mine.isConnected || epoch >= +mine.max) return stop();
        show(++epoch);
      },
      Math.max(SHORTEST, DURATION / mine.max),
    );
  }

  element.addEventListener("input", (event) => {
    stop();
    if (event.target.type === "range") show(+event.target.value);
  });
  element.addEventListener("click", (event) => {
    if (event.target.closest(".epochs-control button")) play();
  });
  // Another drawing.
  watch("value", () => {
    stop();
    if (slider()) show(+slider().max);
  });
}
