// The values of the Learn tab's sliders, clipped to their ranges as gradio does once the box of a typed number is left.
export const within = (values, ranges) =>
  values.map((value, index) => {
    const [low, high] = ranges[index] ?? [];
    return low === undefined ? value : Math.round(Math.min(Math.max(value, low), high));
  });
