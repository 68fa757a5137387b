// The Learn tab: values of its sliders, and the links between its lessons.

// The values of sliders, clipped to their ranges as gradio does once the box of a typed number is left.
export const within = (values, ranges) =>
  values.map((value, index) => {
    const [low, high] = ranges[index] ?? [];
    return low === undefined ? value : Math.round(Math.min(Math.max(value, low), high));
  });

// `place.js` opens the lesson of a link; this shows its beginning, with the focus on its name in the path.
export function mount({ element }) {
  element.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const button = document.getElementById(`${link.hash.slice(3).replace(".", "-")}-button`);
    button.closest("[role=tablist]").scrollIntoView();
    button.focus({ preventScroll: true });
  });
}
