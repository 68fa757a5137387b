"""The curves of a training as a picture for its model card: accuracy and loss over the epochs."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

COLOURS = {"train": "#e69f00", "val": "#0072b2"}


def curves(history: list[dict[str, float]]) -> bytes:
    """A PNG of two panels, training and validation in each, from the rows of `history.csv`."""
    figure = Figure((8.8, 3), layout="constrained")  # without pyplot, which would keep every figure
    epochs = [row["epoch"] for row in history]
    settled = history[len(history) // 10 :]  # the first epochs would squeeze the others together
    for axes, quantity in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        for part, label in (("train", "training"), ("val", "validation")):
            values = [row[f"{part}_{quantity}"] for row in history]
            axes.plot(epochs, values, "." if len(history) == 1 else "-", color=COLOURS[part], label=label)
        seen = [row[f"{part}_{quantity}"] for row in settled for part in COLOURS]
        axes.set_ylim(*((min(seen) - 0.5, 100) if quantity == "accuracy" else (0, max(seen) * 1.05)))
        axes.set(title="accuracy (%)" if quantity == "accuracy" else "loss", xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(color="#e3e3e3")
        axes.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()
