// Elements of the page as an image: copies with their computed styles in an SVG, which is drawn onto a canvas.
const SCALE = 2;
const MARGIN = 24; // pixels around and between the elements
const LEFT_OUT = "input, progress, button:empty, .save";
const SORTS = "[data-rows], [data-sort]"; // their arrows are for the page alone
const SIDES = ["top", "right", "bottom", "left"];
const STYLES = [
  ...SIDES,
  ...SIDES.flatMap((side) => ["width", "style", "color"].map((part) => `border-${side}-${part}`)),
  ...SIDES.flatMap((side) => [`margin-${side}`, `padding-${side}`]),
  ...["top-left", "top-right", "bottom-left", "bottom-right"].map((corner) => `border-${corner}-radius`),
  ..."display position float box-sizing width height min-width min-height max-width overflow visibility opacity".split(" "),
  ..."clip-path transform z-index box-shadow outline-width outline-style outline-color outline-offset".split(" "),
  ..."background-color background-image background-size background-position background-repeat".split(" "),
  ..."color font-family font-size font-style font-weight font-variant-numeric line-height letter-spacing".split(" "),
  ..."text-align text-transform text-decoration-line vertical-align white-space overflow-wrap word-break".split(" "),
  ..."table-layout border-collapse border-spacing list-style-type object-fit image-rendering".split(" "),
  ..."flex-direction flex-wrap flex-grow flex-shrink flex-basis align-items align-self align-content".split(" "),
  ..."justify-content justify-items justify-self row-gap column-gap order".split(" "),
  ..."grid-template-columns grid-template-rows grid-column-start grid-column-end grid-row-start grid-row-end".split(" "),
  ..."fill fill-opacity stroke stroke-opacity stroke-width stroke-dasharray stroke-linejoin text-anchor".split(" "),
  ..."vector-effect paint-order appearance -webkit-box-orient -webkit-line-clamp".split(" "),
];

function dress(copy, style) {
  for (const name of STYLES) copy.style.setProperty(name, style.getPropertyValue(name));
  return copy;
}

// What CSS writes before and after the content of an element.
function written(source, place) {
  if (source.matches(SORTS)) return [];
  const style = getComputedStyle(source, place);
  const text = style.content.match(/^"(.*?)"/)?.[1]; // without the text for screen readers after it
  return text === undefined ? [] : [dress(Object.assign(document.createElement("span"), { textContent: text }), style)];
}

function copyOf(source) {
  if (source.nodeType === Node.TEXT_NODE) return [source.cloneNode()];
  if (source.nodeType !== Node.ELEMENT_NODE || source.matches(LEFT_OUT)) return [];
  const style = getComputedStyle(source);
  if (style.display === "none") return [];
  const copy = dress(source.cloneNode(), style);
  copy.append(...written(source, "::before"), ...[...source.childNodes].flatMap(copyOf), ...written(source, "::after"));
  return [copy];
}

// The copies, one below the other, and the size of them all.
function sheetOf(elements) {
  const sheet = document.createElement("div");
  let [width, height] = [0, MARGIN];
  for (const each of elements.filter((one) => one.offsetHeight)) {
    const [copy] = copyOf(each);
    Object.assign(copy.style, { position: "absolute", inset: "auto", top: `${height}px`, left: `${MARGIN}px`, margin: 0 });
    copy.style.listStyle = "none"; // no marker of a fold
    sheet.append(copy);
    width = Math.max(width, each.offsetWidth + 2 * MARGIN);
    height += each.offsetHeight + MARGIN;
  }
  return { sheet, width, height };
}

async function drawn(svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`; // of a blob, the canvas would not be readable
  await image.decode();
  return image;
}

// The file of these elements. Rejects where the browser does not draw or read it.
export async function pngOf(elements) {
  const { sheet, width, height } = sheetOf(elements);
  const content = new XMLSerializer().serializeToString(sheet);
  const image = await drawn(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
      `<foreignObject width="100%" height="100%">${content}</foreignObject></svg>`,
  );
  const canvas = Object.assign(document.createElement("canvas"), { width: width * SCALE, height: height * SCALE });
  const pen = canvas.getContext("2d");
  pen.fillStyle = getComputedStyle(document.body).getPropertyValue("--body-background-fill") || "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no image")))));
}
