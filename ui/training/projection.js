// The maps of the test images: dots on canvases, and the image at the pointer, under the finger or by the arrow keys,
// which is marked in the maps of all networks.
import { call, sentence } from "../common/server.js";
import { className, put, say } from "../common/texts.js";
import { MARGIN, draw } from "./projection_canvas.js";

const REACH = { mouse: 12, pen: 16, touch: 24 }; // CSS pixels from the pointer to a dot
const RESTING = 80; // ms that the pointer stays at a dot before its image is requested
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const images = new Map(); // data set and index to the promise of a data URL

function imageOf(dataset, index) {
  const key = `${dataset} ${index}`;
  if (!images.has(key)) images.set(key, call("test_image", { dataset, index }));
  images.get(key).catch(() => images.delete(key));
  return images.get(key);
}

// The places from 0 to 1 of a base64 text of 16-bit numbers up to `side`: [[x, y]].
function placesOf(text, side) {
  const numbers = new Uint16Array(Uint8Array.from(atob(text), (each) => each.charCodeAt(0)).buffer);
  return Array.from({ length: numbers.length / 2 }, (_, index) => [numbers[2 * index], numbers[2 * index + 1]].map((n) => n / side));
}

function mapOf(figure, side) {
  const { places, drawing, ...rest } = JSON.parse(figure.dataset.map);
  const methods = Object.entries(places).map(([method, text]) => [method, { places: placesOf(text, side), drawing: drawing?.[method] }]);
  return { figure, canvas: figure.querySelector("canvas"), own: figure.querySelector(".projection-read").innerHTML, ...rest, ...Object.fromEntries(methods) };
}

const plain = (name) => (name.key ? say(name.key) : name);

// The index of the place nearest to [x, y] of those for which `isMeant` holds; -1 beyond the reach.
function nearest(places, [x, y], reach, isMeant = () => true) {
  let [found, least] = [-1, reach ** 2];
  places.forEach(([left, top], index) => {
    const apart = (left - x) ** 2 + (top - y) ** 2;
    if (apart <= least && isMeant(index)) [found, least] = [index, apart];
  });
  return found;
}

export function mount({ element, watch }) {
  let [root, maps, labels, classes] = [null, [], [], []];
  let [method, emphasised, selected, resting] = ["tsne", -1, -1, 0];
  let isPointed = false; // whether the selected image is the pointer's, which then clears it where it leaves
  const resized = new ResizeObserver(() => maps.forEach(paint));

  function read() {
    root = element.querySelector(".projection");
    resized.disconnect();
    clearTimeout(resting);
    maps = root ? [...root.querySelectorAll("[data-map]")].map((figure) => mapOf(figure, +root.dataset.side)) : [];
    if (!root) return;
    [labels, classes, selected] = [[...root.dataset.labels].map(Number), JSON.parse(root.dataset.classes), -1];
    maps.forEach(({ canvas }) => resized.observe(canvas));
    root.querySelector(`input[value=${method}]`).checked = true;
    update();
  }

  const named = (index) => className(classes[index]);

  function paint(map) {
    map.mark = draw(map.canvas, { ...map, ...map[method], labels, names: classes.map((_, index) => plain(named(index))), emphasised });
    map.mark(selected);
  }

  const isEmphasised = (index) => emphasised < 0 || labels[index] === emphasised;

  function update() {
    root.dataset.method = method;
    for (const button of root.querySelectorAll(".projection-classes button"))
      button.setAttribute("aria-pressed", +button.value === emphasised);
    maps.forEach(paint);
  }

  function textOf({ predicted }, index) {
    const values = { number: root.dataset.step * index, label: named(labels[index]) };
    const wrong = predicted && +predicted[index] !== labels[index];
    return wrong ? ["projection.wrong", { ...values, predicted: named(predicted[index]) }] : ["projection.image", values];
  }

  function select(index) {
    if (index === selected) return;
    selected = index;
    clearTimeout(resting);
    for (const map of maps) {
      map.mark(index);
      write(map, index);
    }
    announce("");
    if (index >= 0) resting = setTimeout(showImage, RESTING, index);
  }

  const announce = (text) => (root.querySelector("[role=status]").textContent = text);

  function write(map, index) {
    const place = map.figure.querySelector(".projection-read");
    if (index < 0) return void (place.innerHTML = map.own);
    const [key, values] = textOf(map, index);
    const text = document.createElement("span");
    put(text, key, values);
    place.replaceChildren(Object.assign(new Image(), { alt: "" }), text);
  }

  async function showImage(index) {
    const { dataset } = root.dataset;
    const found = await imageOf(dataset, index).then(
      (src) => ({ src }),
      (error) => ({ failed: sentence(error) }),
    );
    if (index !== selected || dataset !== root?.dataset.dataset) return;
    for (const image of element.querySelectorAll(".projection-read img"))
      if (found.src) image.src = found.src;
      else image.replaceWith(found.failed);
  }

  const mapAt = ({ target }) => maps.find(({ canvas }) => canvas === target);

  function point(event) {
    const map = mapAt(event);
    if (!map) return;
    const width = map.canvas.clientWidth - 2 * MARGIN;
    const at = [event.offsetX, event.offsetY].map((each) => (each - MARGIN) / width);
    const index = nearest(map[method].places, at, (REACH[event.pointerType] ?? REACH.mouse) / width, isEmphasised);
    if (index < 0 && event.type !== "click") return leave();
    isPointed = true;
    select(index);
  }

  // What the arrow keys chose stays.
  const leave = () => isPointed && select(-1);

  // To the nearest dot in a direction, from the drawing or the centre at first.
  function step(event) {
    const [map, way] = [mapAt(event), WAYS[event.key]];
    if (!map || !(way || event.key === "Escape")) return;
    event.preventDefault();
    if (!way) return select(-1);
    const { places, drawing } = map[method];
    const [x, y] = places[selected] ?? drawing ?? [0.5, 0.5];
    const isAhead = (index) => {
      const [across, down] = [places[index][0] - x, places[index][1] - y];
      const along = across * way[0] + down * way[1];
      return along > 0 && Math.abs(across * way[1] + down * way[0]) <= along && isEmphasised(index);
    };
    const next = nearest(places, [x, y], 2, isAhead);
    if (next < 0) return;
    isPointed = false;
    select(next);
    announce(say(...textOf(map, next)));
  }

  element.addEventListener("pointermove", (event) => event.pointerType === "mouse" && point(event));
  element.addEventListener("pointerout", (event) => event.pointerType === "mouse" && mapAt(event) && leave());
  element.addEventListener("click", (event) => {
    const button = event.target.closest(".projection-classes button");
    if (!button) return point(event);
    emphasised = +button.value === emphasised ? -1 : +button.value;
    update();
  });
  element.addEventListener("keydown", step);
  element.addEventListener("change", ({ target }) => {
    method = target.value;
    update();
  });
  document.addEventListener("lineup:language", () => maps.forEach(paint));
  matchMedia("(forced-colors: active)").addEventListener("change", () => maps.forEach(paint));
  new MutationObserver(() => maps.forEach(paint)).observe(document.body, { attributeFilter: ["class"] });
  watch("value", read);
  read();
}
