"""The curves of a training as a picture for its model card: accuracy and loss over the epochs."""

from __future__ import annotations

import io
import math
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, MARGIN = 440, 300, 48  # of one panel, in pixels
SHARPER = 2  # drawn so many times larger, then reduced: pillow's lines are jagged
INK, GRID, TRAIN, VALIDATION = "#333333", "#e3e3e3", "#e69f00", "#0072b2"


def curves(history: list[dict[str, float]]) -> bytes:
    """A PNG of two panels, training and validation in each, from the rows of `history.csv`."""
    image = Image.new("RGB", (2 * WIDTH * SHARPER, HEIGHT * SHARPER), "white")
    settled = history[len(history) // 10 :]  # the first epochs would squeeze the others together
    accuracies = [row[f"{part}_accuracy"] for row in settled for part in ("train", "val")]
    _panel(image, 0, history, "accuracy", "accuracy (%)", min(accuracies) - 0.5, 100)
    losses = [row[f"{part}_loss"] for row in settled for part in ("train", "val")]
    _panel(image, WIDTH, history, "loss", "loss", 0, max(losses) * 1.05)
    buffer = io.BytesIO()
    image.resize((2 * WIDTH, HEIGHT), Image.Resampling.LANCZOS).quantize(64).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _panel(
    image: Image.Image, left: int, history: list[dict], quantity: str, title: str, low: float, high: float
) -> None:
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(12 * SHARPER)
    last = max(2, len(history))

    def at(x: float, y: float) -> tuple[float, float]:
        across, up = (x - 1) / (last - 1), (y - low) / (high - low)
        x = left + MARGIN + across * (WIDTH - 1.5 * MARGIN)
        return x * SHARPER, (HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN)) * SHARPER

    for value in _ticks(low, high):
        draw.line([at(1, value), at(last, value)], GRID, SHARPER)
        x, y = at(1, value)
        draw.text((x - 6 * SHARPER, y), f"{value:g}", INK, font, anchor="rm")
    for epoch in [1, *(round(tick) for tick in _ticks(1, last) if tick > 1)]:
        x, y = at(epoch, low)
        draw.text((x, y + 6 * SHARPER), str(epoch), INK, font, anchor="mt")
    for part, colour in (("train", TRAIN), ("val", VALIDATION)):
        points = [(row["epoch"], row[f"{part}_{quantity}"]) for row in history]
        for before, after in pairwise([points[0], *points]):
            if low <= min(before[1], after[1]) and max(before[1], after[1]) <= high:
                draw.line([at(*before), at(*after)], colour, 2 * SHARPER)
    top = 16 * SHARPER
    draw.text(((left + MARGIN) * SHARPER, top), title, INK, font, anchor="lm")
    right = (left + WIDTH - MARGIN / 2) * SHARPER
    draw.text((right, top), "validation", VALIDATION, font, anchor="rm")
    draw.text((right - 80 * SHARPER, top), "training", TRAIN, font, anchor="rm")
    draw.text((right, (HEIGHT - 14) * SHARPER), "epoch", INK, font, anchor="rm")


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers in a range."""
    step = 10 ** math.floor(math.log10((high - low) / 5))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 6)
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
