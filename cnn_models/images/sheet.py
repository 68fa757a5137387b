"""The sheet of paper in a photograph, separated from the desk or the wall around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from cnn_models.images.arrays import filled, largest, mean, shrink

LOW_SIDE = 192  # pixels
INK = 7  # pixels of the small image, the window of the median that removes most ink
EDGE = 0.12  # log of the ratio of brightness over three pixels, at least, at an edge
HUE = 0.22  # a shadow changes the logarithms of the ratios of two channels by less
SHADOW = 1.8  # and the logarithm of the brightness, too
LEAST, MOST = 0.08, 0.97  # of the photograph's area
EDGE_WIDTH = 0.012  # of the longer side, at the edge of a sheet, is not quite paper
SQUARE = 0.93  # of the area of its four corners' polygon that a sheet fills


class Sheet(NamedTuple):
    """The page H x W x channels uint8, what of it is the sheet (H x W bool, or None for all), and its outline.

    Around the sheet, the page has the colours of the sheet's edge, and the outline is in pixels of the photograph.
    """

    page: np.ndarray
    mask: np.ndarray | None = None
    outline: tuple[tuple[int, int], ...] = ()


def find_sheet(pixels: np.ndarray, side: int) -> Sheet:
    """The sheet in a photograph H x W x channels uint8, or all of it where no sheet is clearly seen.

    A whole sheet is seen as from above: its perspective is undone. Of one that the photograph cuts, what is around it
    is masked. A shadow on the page is not the edge of a sheet: it changes the brightness, hardly the colour. The
    longer edge of the page is `side` at most.
    """
    small = shrink(pixels, side)
    low = shrink(small, LOW_SIDE)
    hull = next(_hulls(low), None)
    if hull is None:
        return Sheet(small)
    scale = max(pixels.shape) / max(low.shape)
    corners = _corners(hull)
    if corners is not None and _inside(corners, low.shape).all():
        corners = enlarged(corners, scale)
        return Sheet(_from_above(pixels, corners, side), None, _outline(corners))
    return cut_out(pixels, enlarged(hull.reshape(-1, 2), scale), side)


def enlarged(points: np.ndarray, scale: float) -> np.ndarray:
    """Points between the middles of pixels of a small image, in the large one."""
    return (points.astype(np.float32) + 0.5) * scale - 0.5


def _hulls(low: np.ndarray) -> Iterator[np.ndarray]:
    """The convex hulls of the regions of a small image that are the sheet, the best first."""
    smooth = cv2.medianBlur(low, INK).reshape(low.shape)
    logs = np.log(smooth + np.float32(8))
    change = largest(cv2.morphologyEx(logs, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).reshape(logs.shape))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((change < EDGE).astype(np.uint8), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA] * (np.arange(len(stats)) > 0)
    large = np.flatnonzero(areas >= LEAST * labels.size)
    middles = {int(i): np.median(logs[labels == i], axis=0) for i in large}
    order = sorted(middles, key=lambda i: -areas[i] * np.exp(middles[i].mean()))
    for i in order:
        hull = _hull(_filled(cv2.dilate((labels == i).astype(np.uint8), np.ones((5, 5), np.uint8))))  # to the edge
        if hull is not None and _shows_corners(hull, low.shape) and _is_brighter(hull, logs):
            yield hull
    if order:  # a pixel belongs to the page if its colour does, in light or in shadow
        shift = logs - middles[order[0]]
        light = mean(shift)
        page = (largest(np.abs(shift - light[..., None])) < HUE) & (np.abs(light) < SHADOW)
        hull = _hull(_filled(page))
        if hull is not None:
            yield hull


def _shows_corners(hull: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether the outline is of few straight sides, and at least two of its corners are in the photograph.

    The part of a page that is not in the shadow of something has none, or is not convex.
    """
    corners = cv2.approxPolyDP(hull, 0.015 * cv2.arcLength(hull, True), True).reshape(-1, 2)
    return 4 <= len(corners) <= 7 and _inside(corners, shape).sum() >= 2


def _is_brighter(hull: np.ndarray, logs: np.ndarray) -> bool:
    """Whether the inside of an outline is brighter than its outside."""
    inside = np.zeros(logs.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, hull, 1)
    outside = cv2.dilate(inside, np.ones((9, 9), np.uint8)) == 0
    return bool(outside.any() and np.median(logs[inside > 0]) > np.median(logs[outside]) + EDGE)


def cut_out(pixels: np.ndarray, points: np.ndarray, side: int) -> Sheet:
    """The sheet with this convex outline, N x 2 pixels of a photograph H x W x channels uint8."""
    corners = points.round().astype(np.int32)
    mask = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, corners, 255)
    mask = cv2.erode(mask, np.ones((2 * round(EDGE_WIDTH * max(mask.shape)) + 1,) * 2, np.uint8))
    left, top, width, height = cv2.boundingRect(corners)
    part = slice(max(top, 0), top + height), slice(max(left, 0), left + width)
    page, is_sheet = shrink(pixels[part], side), shrink(mask[part][..., None], side)[..., 0] == 255
    return Sheet(filled(page, (~is_sheet).astype(np.uint8)), is_sheet, _outline(points))


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


def _inside(corners: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Which of the corners are in the photograph, not at its border."""
    x, y = corners.T
    return (x > 3) & (y > 3) & (x < shape[1] - 4) & (y < shape[0] - 4)


def _from_above(pixels: np.ndarray, corners: np.ndarray, side: int) -> np.ndarray:
    """The sheet with these corners, as seen from above."""
    a, b, c, d = corners
    width, height = max(np.hypot(*(b - a)), np.hypot(*(c - d))), max(np.hypot(*(c - b)), np.hypot(*(d - a)))
    scale = min(1, side / max(width, height))
    width, height = round(width * scale), round(height * scale)
    edge = EDGE_WIDTH * max(width, height)
    target = (-edge, -edge), (width + edge, -edge), (width + edge, height + edge), (-edge, height + edge)
    matrix = cv2.getPerspectiveTransform(corners, np.array(target, np.float32))
    page = cv2.warpPerspective(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return page.reshape(height, width, -1)


def _outline(points: np.ndarray) -> tuple[tuple[int, int], ...]:
    return tuple((round(float(x)), round(float(y))) for x, y in points)
