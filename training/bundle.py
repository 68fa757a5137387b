"""Write the test sets into `cnn_models/datasets/data`, where the app reads them: a grey PNG and its labels for each.

python -m training.bundle
"""

from __future__ import annotations

import argparse
import sys

from cnn_models import DATASETS, command


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.bundle", description=str(__doc__).splitlines()[0])
    parser.parse_args(argv)
    with command.ending_at_once():
        from PIL import Image

        from cnn_models.datasets.test_sets import DATA, SIDE
        from training.data import DataError, load
        from training.lock import check_writable
        from training.state import TrainingError

    try:
        check_writable(DATA)
        for name in DATASETS:
            examples = load(name, train=False)
            # A sheet of 100 x 100 images: PNG's row filters compress it well, and a browser can show it.
            sheet = examples.images.view(SIDE, SIDE, 28, 28).transpose(1, 2).reshape(SIDE * 28, SIDE * 28)
            Image.fromarray(sheet.numpy()).save(DATA / f"{name}.png", optimize=True)
            labels = "".join(map(str, examples.labels.tolist()))
            (DATA / f"{name}.txt").write_text(f"{labels}\n", encoding="utf-8", newline="\n")
            print(f"{DATA / name}.png: {(DATA / f'{name}.png').stat().st_size / 1e6:.2f} MB")
    except (DataError, TrainingError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    command.run(main, "stopped; run the same command again")
