"""The sheet of paper in a photograph, told from the desk or the wall around it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

LOW_SIDE = 256  # pixels
INK = 9  # pixels of the small image, the window of the median that removes most ink
EDGE = 0.12  # log of the ratio of brightness over three pixels, at least, at an edge
HUE = 0.22  # a shadow changes the logarithms of the ratios of two channels by less
SHADOW = 1.8  # and the logarithm of the brightness, too
LEAST, MOST = 0.08, 0.97  # of the photograph's area
SQUARE = 0.93  # of the area of its four corners' polygon that a sheet fills


class Sheet(NamedTuple):
    """The page H x W x channels uint8, what of it is the sheet (H x W uint8, or None for all), and its outline."""

    page: np.ndarray
    mask: np.ndarray | None = None
    outline: tuple[tuple[int, int], ...] = ()


def find_sheet(pixels: np.ndarray) -> Sheet:
    """The sheet in a photograph H x W x channels uint8; the whole photograph where no sheet is clearly seen.

    A whole sheet is seen as from above: its perspective is undone. Of one that the photograph cuts, what is around it
    is masked. A shadow on the page is not the edge of a sheet: it changes the brightness, hardly the colour.
    """
    height, width = pixels.shape[:2]
    scale = LOW_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    low = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
    alone, page = _regions(low)
    for region in alone:
        hull = _hull(region)
        corners = None if hull is None else _corners(hull)
        if corners is not None and _is_inside(corners, region.shape):
            corners = (corners + 0.5) / scale - 0.5
            return Sheet(_from_above(pixels, corners), None, _outline(corners))
    hull = _hull(page)
    if hull is not None:
        corners = _corners(hull)
        if corners is not None and _is_inside(corners, page.shape):
            corners = (corners + 0.5) / scale - 0.5
            return Sheet(_from_above(pixels, corners), None, _outline(corners))
        points = (hull.reshape(-1, 2) + 0.5) / scale - 0.5
        mask = np.zeros((height, width), np.uint8)
        cv2.fillConvexPoly(mask, points.round().astype(np.int32), 255)
        left, top, across, down = cv2.boundingRect(points.round().astype(np.int32))
        left, top = max(left, 0), max(top, 0)
        part = slice(top, top + down), slice(left, left + across)
        return Sheet(pixels[part], mask[part], _outline(points))
    return Sheet(pixels)


def _regions(low: np.ndarray):
    """The regions of a small image that may be the sheet, as masks uint8: first without its shadows, then with them."""
    smooth = np.stack([cv2.medianBlur(np.ascontiguousarray(low[..., i]), INK) for i in range(low.shape[2])], axis=-1)
    logs = np.log(smooth.astype(np.float32) + 8)
    kernel = np.ones((3, 3), np.uint8)
    change = cv2.morphologyEx(logs, cv2.MORPH_GRADIENT, kernel).reshape(logs.shape).max(axis=2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((change < EDGE).astype(np.uint8), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA].astype(float)
    areas[0] = 0
    large = np.flatnonzero(areas >= LEAST * labels.size)
    if not len(large):
        return [], np.ones_like(labels, np.uint8)
    middles = {int(i): np.median(logs[labels == i], axis=0) for i in large}
    order = sorted(middles, key=lambda i: -areas[i] * np.exp(middles[i].mean()))
    # a pixel belongs to the page if its colour does: edges of shadows are wide
    shift = logs - middles[order[0]]
    light = shift.mean(axis=2)
    page = (np.abs(shift - light[..., None]).max(axis=2) < HUE) & (np.abs(light) < SHADOW)
    return [_filled(labels == i) for i in order[:3]], _filled(page)


def _filled(region: np.ndarray) -> np.ndarray:
    """The largest part of a region, without its holes, grown by the pixel that its edge took."""
    region = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    contours = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    filled = np.zeros_like(region)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return filled


def _hull(region: np.ndarray) -> np.ndarray | None:
    """The convex hull of a region, if the region fills it and it may be a sheet's."""
    contours = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    if not contours:
        return None
    hull = cv2.convexHull(contours[0])
    area = cv2.contourArea(hull)
    return hull if area * 0.85 < region.sum() and LEAST * region.size < area < MOST * region.size else None


def _corners(hull: np.ndarray) -> np.ndarray | None:
    """The four corners of a convex polygon, clockwise from the top left, or None if it has no four."""
    around = cv2.arcLength(hull, True)
    for share in (0.01, 0.02, 0.03, 0.05):
        corners = cv2.approxPolyDP(hull, share * around, True)
        if len(corners) == 4 and min(cv2.contourArea(corners) / cv2.contourArea(hull), 1) > SQUARE:
            corners = corners.reshape(4, 2).astype(np.float32)
            corners = corners[np.argsort(np.arctan2(*(corners - corners.mean(axis=0)).T[::-1]))]
            return np.roll(corners, -int(np.argmin(corners.sum(axis=1))), axis=0)
    return None


def _is_inside(corners: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether the photograph shows all corners."""
    x, y = corners.T
    return bool(x.min() > 2 and y.min() > 2 and x.max() < shape[1] - 3 and y.max() < shape[0] - 3)


def _from_above(pixels: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The sheet with these corners, as seen from above."""
    a, b, c, d = corners
    width = int(max(np.hypot(*(b - a)), np.hypot(*(c - d))))
    height = int(max(np.hypot(*(c - b)), np.hypot(*(d - a))))
    inset = 0.012 * max(width, height)  # the edge itself is not paper
    target = np.array([[-inset, -inset], [width + inset, -inset], [width + inset, height + inset], [-inset, height + inset]])
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32))
    page = cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return page.reshape(height, width, pixels.shape[2])


def _outline(points: np.ndarray) -> tuple[tuple[int, int], ...]:
    return tuple((round(float(x)), round(float(y))) for x, y in points)
