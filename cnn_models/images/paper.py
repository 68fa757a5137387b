"""From a photograph of paper to its digits: the sheet, its light, its ink, and the components of each digit."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np

from cnn_models.images.components import _hull_box, components, digits, spans, without_underlines
from cnn_models.images.ink import FAINTEST, find_ink
from cnn_models.images.sheet import Sheet, find_sheet
from cnn_models.images.steps import Box, Found, Step

WORK_SIDE = 512
MARGIN = 4


def find_digits(pixels: np.ndarray, off: Collection[str] = ()) -> Found:
    """The digits of a photograph H x W, H x W x 3 or H x W x 4 uint8 of paper, a board or a screen.

    `off` are the steps to omit: "sheet", "light", "components".
    """
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    page, mask, outline = Sheet(pixels) if "sheet" in off else find_sheet(pixels)
    steps = [Step("sheet", _shown(pixels), outline=outline)]
    page, mask = _smaller(page, mask)
    ink = find_ink(page, "light" in off)
    steps.append(Step("light", _shown(ink.page)))
    strength = ink.strength if mask is None else np.where(mask > 0, ink.strength, np.float32(0))
    seen = strength[strength > np.maximum(6 * ink.noise, FAINTEST)]
    if not seen.size:
        return Found(tuple(steps), ())
    top = float(np.partition(seen, -min(300, len(seen)))[-min(300, len(seen))])
    stroke = float(np.median(seen[seen >= top / 2]))
    low = np.maximum(stroke / 4, 4 * ink.noise)
    labels, found = components((strength > low).astype(np.uint8))
    # lines from border to border, of ruled or squared paper, tie everything together: they are fainter than the ink
    for _ in range(4):
        net = [each for each in found if spans(each, labels.shape) and not each.is_line]
        if not net:
            break
        for each in net:
            part = labels == each.label
            low = np.where(part, np.maximum(1.5 * np.median(strength[part]), low), low)
        labels, found = components((strength > low).astype(np.uint8))
    mask = without_underlines((strength > low).astype(np.uint8), found)
    labels, found = components(mask)
    kept = [each for each in found if strength[labels == each.label].max() > max(FAINTEST, stroke / 2)]
    groups = [kept] if "components" in off else digits(kept, labels.shape)
    boxes = tuple(_hull_box(group) for group in groups)
    steps.append(Step("components", (255 * np.minimum(strength / stroke, 1)).astype(np.uint8), boxes))
    images = tuple(_cut(strength, labels, group, box) for group, box in zip(groups, boxes, strict=True))
    return Found(tuple(steps), images)


def _smaller(page, mask):
    scale = WORK_SIDE / max(page.shape[:2])
    if scale >= 1:
        return page, mask
    size = round(page.shape[1] * scale), round(page.shape[0] * scale)
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], page.shape[2])
    return small, None if mask is None else cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)


def _shown(pixels):
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :3]


def _cut(strength: np.ndarray, labels: np.ndarray, group, box: Box) -> np.ndarray:
    """The ink of one digit, bright on black, with a margin."""
    left, top, right, bottom = box
    part = np.where(
        np.isin(labels[top:bottom, left:right], [each.label for each in group]),
        strength[top:bottom, left:right],
        np.float32(0),
    )
    stroke = np.median(part[part > part.max() / 2])
    image = (255 * np.minimum(part / stroke, 1)).astype(np.uint8)
    return cv2.copyMakeBorder(image, *(MARGIN,) * 4, cv2.BORDER_CONSTANT, value=0)
