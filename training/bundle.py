"""Write the test sets into `cnn_models/datasets/data`, where the app reads them: a grey PNG and its labels for each.

python -m training.bundle
"""

from __future__ import annotations

from PIL import Image

from cnn_models.datasets.test_sets import DATA, SIDE
from training.data import LOADERS, load


def main() -> None:
    for name in LOADERS:
        examples = load(name, train=False)
        # A sheet of 100 x 100 images: PNG's row filters compress it well, and a browser can show it.
        sheet = examples.images.view(SIDE, SIDE, 28, 28).transpose(1, 2).reshape(SIDE * 28, SIDE * 28)
        Image.fromarray(sheet.numpy()).save(DATA / f"{name}.png", optimize=True)
        (DATA / f"{name}.txt").write_text("".join(map(str, examples.labels.tolist())) + "\n")
        print(f"{DATA / name}.png: {(DATA / f'{name}.png').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
