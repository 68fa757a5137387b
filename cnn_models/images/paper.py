"""From a photograph of paper to its digits: the sheet, its light, its ink, and the components of each digit."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain

import cv2
import numpy as np

from cnn_models.images.arrays import over_white, shrink
from cnn_models.images.components import Component, box_of, components, cut_by, digits, spans, without_underlines
from cnn_models.images.ink import Ink, find_ink
from cnn_models.images.sheet import Sheet, cut_out, enlarged, find_sheet
from cnn_models.images.steps import Box, Found, Step

WORK_SIDE = 512  # pixels; a larger page is averaged down to it, which reduces its noise
MARGIN = 4  # pixels around a digit
FAINTEST = 0.06  # of the brightness of the page, at least, between ink and page
SURE = 300  # pixels that a stroke has, at least, so that specks do not decide how strong ink is
MOST = 6  # digits in a row; more are a text
SMALLEST = 12  # pixels that a digit is high, at least
LEAST_NOTE = 40  # pixels along the longer edge of what may be a note of coloured paper
ON_NOTE = 0.2  # of the height of a note, at least, is a digit on it
NETS = 4  # times that lines are separated from the ink that they touch


def find_digits(pixels: np.ndarray, off: Collection[str] = ()) -> Found:
    """The digits on paper, a board or a screen, in a photograph H x W, H x W x 3 or H x W x 4 uint8.

    The ink may be darker or brighter than its ground, of another colour, or the opaque part of a transparent image.
    `off` are the steps to omit: "sheet", "light", "components". The `doubt` is "sheet" where the ink may be none, too
    small, cut by the border, or the print of a page.
    """
    if min(pixels.shape[:2]) < SMALLEST:
        return Found((), ())
    image = _channels(pixels)
    sheet = Sheet(shrink(image, WORK_SIDE)) if "sheet" in off else find_sheet(image, WORK_SIDE)
    found, solid = _digits_on(sheet, off)
    if sheet.mask is not None and found.doubt:  # the edge of a shadow may have been taken for that of a sheet
        whole = Sheet(shrink(image, WORK_SIDE))
        again, other = _digits_on(whole, off)
        if not again.doubt:
            sheet, found, solid = whole, again, other
    if solid is not None and solid.length > LEAST_NOTE and "sheet" not in off:
        note = _note(solid, image, sheet)
        within, _ = _digits_on(note, off, is_note=True)
        if not within.doubt:
            sheet, found = note, within
    return found._replace(steps=(Step("sheet", _shown(image), outline=sheet.outline), *found.steps))


def _digits_on(sheet: Sheet, off: Collection[str], is_note: bool = False) -> tuple[Found, Component | None]:
    """The digits on a sheet, and a solid component among them, which may be a note that the digits are on, or None."""
    ink = find_ink(sheet.page, keeps_light="light" in off)
    light = Step("light", _shown(ink.page))
    strength = ink.strength if sheet.mask is None else np.where(sheet.mask, ink.strength, np.float32(0))
    stroke = _stroke(strength, ink.noise)
    if not stroke:
        return Found((light,), (), "sheet"), None
    labels, found = _components(strength, stroke, ink)
    if sheet.mask is not None:
        found = cut_by(sheet.mask, labels, found)
    groups = [found] if "components" in off and found else digits(found, labels.shape)
    boxes = tuple(map(box_of, groups))
    images = tuple(_image(strength, labels, *each) for each in zip(groups, boxes, strict=True))
    shown = (255 * np.minimum(strength / stroke, 1)).astype(np.uint8)
    doubt = "" if "components" in off and not is_note else _doubt(groups, found)
    if is_note and not _is_on_note(groups, labels.shape):
        doubt = "sheet"
    solid = next((each for each in chain(*groups) if each.is_solid), None)
    return Found((light, Step("components", shown, boxes)), images[:MOST], doubt), solid


def _is_on_note(groups: list[list[Component]], shape: tuple[int, ...]) -> bool:
    """Whether what was found in a solid component is written there, and is not the hole of a bold 0 or 8."""
    is_large = any(box_of(group)[3] - box_of(group)[1] > ON_NOTE * shape[0] for group in groups)
    return is_large and not any(each.is_blob for each in chain(*groups))


def _note(solid: Component, image: np.ndarray, sheet: Sheet) -> Sheet:
    """A solid component of the page as a sheet: a note of coloured paper on a wall, a box or disc of colour."""
    photo = sheet.page if sheet.outline else image
    scale = max(photo.shape[:2]) / max(sheet.page.shape[:2])
    note = cut_out(photo, enlarged(solid.hull.reshape(-1, 2), scale), WORK_SIDE)
    return note._replace(outline=sheet.outline or note.outline)


def separated(drawing: np.ndarray) -> Found:
    """The digits of a drawing, H x W uint8, bright on black; no image where it shows one, or more than MOST."""
    ink = drawing > drawing.max() // 4
    if cv2.connectedComponents(ink.astype(np.uint8))[0] <= 2:  # the ground and one digit: every frame of a drawing
        return Found((), ())
    labels, found = components(ink)
    groups = digits(found, labels.shape)
    if not 1 < len(groups) <= MOST:
        return Found((), ())
    boxes = tuple(map(box_of, groups))
    images = tuple(_image(drawing, labels, *each) for each in zip(groups, boxes, strict=True))
    return Found((Step("components", drawing, boxes),), images)


def find_in_shape(drawing: np.ndarray, off: Collection[str] = ()) -> Found:
    """The digits in a filled shape of a drawing, H x W uint8, bright on black; no image where there is none."""
    labels, found = components(drawing > drawing.max() // 4)
    solid = next((each for each in chain(*digits(found, labels.shape)) if each.is_solid), None)
    if solid is None:
        return Found((), ())
    image = drawing[..., None]
    within, _ = _digits_on(_note(solid, image, Sheet(image)), off, is_note=True)
    return Found((), ()) if within.doubt else within


def _channels(pixels: np.ndarray) -> np.ndarray:
    """The image with its channels on an axis of their own; what is transparent is white, and alpha the last channel."""
    if pixels.ndim == 2:
        return pixels[..., None]
    return np.concatenate([over_white(pixels), pixels[..., 3:]], axis=2)


def _shown(image: np.ndarray) -> np.ndarray:
    """The channels of an image that are colours, H x W or H x W x 3."""
    return image[..., 0] if image.shape[2] == 1 else image[..., :3]


def _stroke(strength: np.ndarray, noise: np.ndarray) -> float:
    """The strength in the middle of a stroke; 0 if there is no ink."""
    seen = strength[strength > np.maximum(6 * noise, FAINTEST)]
    if not seen.size:
        return 0.0
    last = -min(SURE, len(seen))
    return float(np.median(seen[seen >= np.partition(seen, last)[last] / 2]))


def _components(strength: np.ndarray, stroke: float, ink: Ink) -> tuple[np.ndarray, list[Component]]:
    """The labels, H x W int32, and the components of ink, without lines that touch it."""
    least = np.maximum(stroke / 4, 4 * ink.noise)
    labels, found = components(strength > least)
    for _ in range(NETS):  # of ruled and squared paper, the lines tie all together, but are fainter than the ink
        nets = [each for each in found if spans(each, labels.shape) and not each.is_line]
        if not nets:
            break
        for each in nets:
            part = labels == each.label
            least = np.where(part, np.maximum(1.5 * np.median(strength[part]), least), least)
        labels, found = components(strength > least)
    labels, found = components(without_underlines(strength > least, found))
    peaks = np.zeros(labels.max() + 1, np.float32)
    np.maximum.at(peaks, labels[labels > 0], strength[labels > 0])
    return labels, [each for each in found if peaks[each.label] > max(FAINTEST, stroke / 2)]


def _image(strength: np.ndarray, labels: np.ndarray, group: list[Component], box: Box) -> np.ndarray:
    """The ink of one digit, bright on black, with a margin."""
    part = slice(box[1], box[3]), slice(box[0], box[2])
    ink = np.where(np.isin(labels[part], [each.label for each in group]), strength[part], np.float32(0))
    stroke = np.median(ink[ink > ink.max() / 2])
    image = (255 * np.minimum(ink / stroke, 1)).astype(np.uint8)
    return np.pad(image, MARGIN)


def _doubt(groups: list[list[Component]], found: list[Component]) -> str:
    """Whether the photograph may show no digit, but clutter or a text."""
    if not 0 < len(groups) <= MOST or any(each.is_cut for each in chain(*groups)):
        return "sheet"
    height = max(box_of(group)[3] - box_of(group)[1] for group in groups)
    alike = sum(height / 2 < each.height < 2 * height and not each.is_line for each in found)
    return "sheet" if height < SMALLEST or alike > len(groups) + 2 * MOST else ""
