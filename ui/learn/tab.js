// The Learn tab's sliders: typed values as gradio itself puts them right once the box is left, into the range of their
// slider, an empty box to its beginning.
export const within = (values, ranges) =>
  values.map((value, index) => {
    const [low, high] = ranges[index] ?? [];
    return low === undefined ? value : Math.round(Math.min(Math.max(value, low), high));
  });
