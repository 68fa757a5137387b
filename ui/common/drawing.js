// The drawing of the Compare tab, for the other tabs.
export let drawing = { value: "", drawing: false }; // the detail of the last `draw` event

export function setDrawing(next) {
  drawing = next;
}

// The inputs of an event whose last two become the drawing and its data set.
export function withDrawing(inputs) {
  const dataset = document.querySelector("input[name=dataset]:checked")?.value;
  return [...inputs.slice(0, -2), drawing.value, dataset ?? ""];
}
