"""From the ink of a page to its digits: connected components; size and shape separate specks, lines and frames."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from cnn_models.images.steps import Box

MOST = 60  # components considered, the largest
MIN_WIDTH = 12  # pixels of a component that may have an underline
NEAR = 0.3  # of a digit's height: the gap between its strokes, at most
LINE = 7  # length over thickness of a line, at least


class Component(NamedTuple):
    """A connected component: its label, box, area in pixels, alone and with its holes, convex hull,
    and length and breadth along its axis.
    """

    label: int
    box: Box
    area: int
    filled: float
    hull: np.ndarray
    length: float
    breadth: float
    is_cut: bool  # by the border of the image or the edge of the sheet

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]

    @property
    def is_line(self) -> bool:
        """Whether it is straight, thin and long."""
        if self.breadth > self.length / 5:
            return False
        return self.length > LINE * min(self.breadth, self.area / self.length)

    @property
    def is_box(self) -> bool:
        """Whether it is a thin rectangle, empty inside, as the boxes of a form are."""
        return self.area < 0.35 * self.filled and self.filled > 0.88 * (self.length - 1) * (self.breadth - 1)

    @property
    def is_solid(self) -> bool:
        """Whether it is a filled disc or rectangle, as a dot, a badge or a note of coloured paper is."""
        is_round = self.breadth > 0.9 * self.length
        is_rectangle = self.filled > 0.9 * (self.length - 1) * (self.breadth - 1) and self.breadth > 0.35 * self.length
        is_filled = self.area > 0.7 * self.filled and self.filled > 0.95 * cv2.contourArea(self.hull)
        return is_filled and (is_round or is_rectangle)

    @property
    def is_blob(self) -> bool:
        """Whether it is convex and no stroke, as the hole of a bold 0 is."""
        return self.breadth > 0.3 * self.length and self.area > 0.9 * cv2.contourArea(self.hull)

    @property
    def is_flat(self) -> bool:
        return self.width > 2.5 * self.height


def components(mask: np.ndarray) -> tuple[np.ndarray, list[Component]]:
    """The labels, H x W int32, and the largest components of a mask H x W bool, largest first."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:MOST]
    return labels, [_component(labels, int(i), stats[i]) for i in order]


def cut_by(mask: np.ndarray, labels: np.ndarray, found: list[Component]) -> list[Component]:
    """The components, of which those at the edge of a mask H x W bool are cut, too."""
    edge = mask & (cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    cut = set(np.unique(labels[edge]).tolist())
    return [each._replace(is_cut=each.is_cut or each.label in cut) for each in found]


def _component(labels: np.ndarray, label: int, stats: np.ndarray) -> Component:
    left, top, width, height, area = map(int, stats[:5])
    part = (labels[top : top + height, left : left + width] == label).astype(np.uint8)
    contour = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0]
    hull = cv2.convexHull(contour) + np.array([left, top])
    (_, sides, _) = cv2.minAreaRect(hull.astype(np.float32))
    right, bottom = left + width, top + height
    is_cut = left <= 1 or top <= 1 or right >= labels.shape[1] - 1 or bottom >= labels.shape[0] - 1
    box, sizes = (left, top, right, bottom), (max(sides) + 1, min(sides) + 1)
    return Component(label, box, area, cv2.contourArea(contour), hull, *sizes, is_cut)


def without_underlines(mask: np.ndarray, found: list[Component]) -> np.ndarray:
    """The mask without the lines under a component that touch it, and are longer than it is wide."""
    mask = mask.astype(np.uint8)
    for each in found:
        left, top, right, bottom = each.box
        if each.width < MIN_WIDTH or each.is_line:
            continue
        part = mask[top:bottom, left:right]
        tall = cv2.dilate(part, np.ones((5, 1), np.uint8))  # lines are not quite level
        lines = cv2.morphologyEx(tall, cv2.MORPH_OPEN, np.ones((1, int(0.75 * each.width)), np.uint8))
        rows = np.flatnonzero(lines.any(axis=1))
        if not len(rows) or rows[0] < 0.4 * each.height:
            continue
        above = np.flatnonzero(part[: rows[0]].any(axis=0))
        over = 0.2 * each.width  # the base of a 2 begins where its stroke ends
        beside = part[rows[0] :] & (1 - cv2.dilate(lines[rows[0] :], np.ones((3, 3), np.uint8)))
        is_longer = len(above) and above[0] > over and above[-1] < each.width - over
        if is_longer and np.count_nonzero(beside) < 0.04 * each.area:
            part[rows[0] :] = 0
    return mask


def digits(found: list[Component], shape: tuple[int, ...]) -> list[list[Component]]:
    """The components of each digit, left to right; () if there is none."""
    frames = [each for each in found if each.is_box or any(_frames(each, other) for other in found)]
    # beside a frame, what the photograph cuts is another frame
    found = [each for each in found if each not in frames and not (frames and each.is_cut)] or found
    found = [each for each in found if not spans(each, shape)] or found
    if not found:
        return []
    main = max(found, key=lambda each: _weight(each, shape))
    tall = [each for each in found if _is_beside(each, main)]
    parts = [each for each in found if each not in tall]
    groups = _strokes(tall)
    while joined := next(filter(None, (_group_of(part, groups) for part in parts)), None):
        part, group = joined
        group.append(part)  # by which others may come near
        parts.remove(part)
    return groups


def _group_of(part: Component, groups: list[list[Component]]) -> tuple[Component, list[Component]] | None:
    """The component and the digit of which it is a stroke; None for none."""
    near = min(groups, key=lambda group: _gap(part.box, box_of(group)))
    return (part, near) if _belongs(part, box_of(near), sum(each.area for each in near)) else None


def _frames(outer: Component, inner: Component) -> bool:
    """Whether the component is a box or a circle around the other."""
    if outer is inner or inner.height < 0.2 * outer.height or inner.is_flat:
        return False
    if outer.area > 0.35 * cv2.contourArea(outer.hull):
        return False
    (left, top, right, bottom), box = outer.box, inner.box
    if not (left < box[0] and top < box[1] and right > box[2] and bottom > box[3]):
        return False
    centre = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return cv2.pointPolygonTest(outer.hull.astype(np.float32), centre, False) > 0


def spans(each: Component, shape: tuple[int, ...]) -> bool:
    """Whether it is a line from one border of the image to the other, or a rest at its border."""
    return each.is_cut and (each.is_line or each.width > 0.9 * shape[1] or each.height > 0.9 * shape[0])


def _weight(each: Component, shape: tuple[int, ...]) -> float:
    """The larger, the likelier the component is the digit of the photograph."""
    left, top, right, bottom = each.box
    off_centre = max(abs((left + right) / shape[1] - 1), abs((top + bottom) / shape[0] - 1))
    weight = each.height * (1 - 0.5 * off_centre)
    if each.is_cut:
        weight *= 0.3
    if each.is_line:
        weight *= 0.05 if each.is_flat else 0.3
    return weight


def _is_beside(each: Component, main: Component) -> bool:
    """Whether it may be another digit in the row of the main one, or the main one itself."""
    if each is main:
        return True
    if not 0.5 * main.height < each.height < 2 * main.height:
        return False
    if each.is_cut and (each.is_line or _gap(each.box, main.box) > main.height):
        return False
    is_upright = each.width < 0.15 * each.height
    if each.is_line and each.length > (1.3 if is_upright else 1.7) * main.height:
        return False
    overlap = min(each.box[3], main.box[3]) - max(each.box[1], main.box[1])
    return overlap > 0.4 * min(each.height, main.height)


def _strokes(tall: list[Component]) -> list[list[Component]]:
    """Components that share most of their columns are strokes of one digit."""
    groups: list[list[Component]] = []
    for each in sorted(tall, key=lambda each: each.box[0] + each.box[2]):
        if groups and _shared_columns(each.box, box_of(groups[-1])) > 0.5:
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def _shared_columns(a: Box, b: Box) -> float:
    return (min(a[2], b[2]) - max(a[0], b[0])) / min(a[2] - a[0], b[2] - b[0])


def _belongs(part: Component, box: Box, area: int) -> bool:
    """Whether a small component is a stroke of the digit in the box, not a speck or an underline."""
    height = box[3] - box[1]
    if part.area < 0.02 * area or part.is_cut:
        return False
    is_below, is_low = part.box[1] > box[3] - 0.1 * height, part.box[1] + part.box[3] > box[1] + box[3]
    width = part.width / (box[2] - box[0])
    is_underline = (is_below and (part.is_line or width > 0.7)) or (is_low and part.is_line and width > 1.4)
    if part.is_flat and is_underline:  # the bar of a 5 is high
        return False
    return _gap(part.box, box) < NEAR * max(height, part.height)


def _gap(a: Box, b: Box) -> float:
    """The distance between two boxes in pixels; 0 if they overlap."""
    return float(np.hypot(max(a[0] - b[2], b[0] - a[2], 0), max(a[1] - b[3], b[1] - a[3], 0)))


def box_of(group: list[Component]) -> Box:
    """The box of all components of a digit."""
    boxes = np.array([each.box for each in group])
    (left, top), (right, bottom) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return int(left), int(top), int(right), int(bottom)
