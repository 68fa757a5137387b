// Image files as the browser draws them, for those that the server does not take.

const LONGEST = 1024; // pixels of the longer edge, as the server averages larger images down to this

// The image at `src`, a blob of this media type, as a file of a format; a PNG where the browser does not write that. Rejects if the browser draws nothing.
export async function redrawn(src, type, format = "image/png") {
  const image = await loaded(src);
  const scale = LONGEST / Math.max(image.naturalWidth, image.naturalHeight);
  const drawn = type === "image/svg+xml" ? scale : Math.min(1, scale); // SVG is sharp at any size
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight].map((side) => Math.max(1, Math.round(side * drawn)));
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  if (!pen.getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)) throw new Error("nothing is drawn");
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, format));
  return new File([blob], `redrawn.${blob.type.split("/")[1]}`, { type: blob.type });
}

function loaded(src) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.addEventListener("load", () => resolve(image));
    image.addEventListener("error", reject);
    image.src = src;
  });
}
