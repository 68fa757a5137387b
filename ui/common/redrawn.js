// Image files as the browser draws them, for those that the server does not take.

const LONGEST = 1024; // pixels of the longer edge, as the server averages larger images down to this

// The image at `src`, a blob of this media type, as a PNG file. Rejects if the browser draws nothing.
export async function redrawn(src, type) {
  const image = await loaded(src);
  const scale = LONGEST / Math.max(image.naturalWidth, image.naturalHeight);
  const drawn = type === "image/svg+xml" ? scale : Math.min(1, scale); // SVG is sharp at any size
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight].map((side) => Math.max(1, Math.round(side * drawn)));
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  if (!pen.getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)) throw new Error("nothing is drawn");
  const png = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return new File([png], "redrawn.png", { type: "image/png" });
}

function loaded(src) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.addEventListener("load", () => resolve(image));
    image.addEventListener("error", reject);
    image.src = src;
  });
}
