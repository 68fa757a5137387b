"""Photographs of handwritten digits as people take them, generated with the right answers.

The order is that of the world: ink on paper, the sheet on a desk, light and shadow, then the camera's blur, noise and
JPEG. The ink is a MNIST test digit, enlarged, or drawn in strokes. Lengths in pixels, unless they are shares of the
shorter side of the image (`Page.unit`) or of the height of a digit (`Page.height`).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from cnn_models.datasets.test_sets import load_test_set
from tests.cnn_models.analysis.test_ood import CLOTHES, DIGITS, arc

Rng = np.random.Generator
Size = tuple[int, int]  # height and width in pixels
Colour = Sequence[float]  # red, green and blue from 0 to 255
Points = Sequence[Sequence[float]]

SIZE = 800, 600
PAPERS = (250, 250, 248), (252, 250, 244), (250, 242, 218), (238, 240, 242)
PENS = (25, 35, 100), (25, 25, 30), (175, 30, 40), (20, 95, 55), (70, 30, 110)
MARKERS = (238, 216, 58), (245, 150, 50), (240, 120, 170), (150, 218, 110), (110, 190, 235)
DESKS = (
    (96, 66, 42), (150, 105, 65), (206, 172, 128), (222, 196, 160), (120, 122, 124), (172, 170, 166), (28, 28, 30),
    (40, 92, 70), (48, 66, 110), (140, 40, 44),
)  # fmt: skip
BOARDS = (34, 62, 50), (38, 40, 42), (52, 58, 66)
CHALKS = (235, 235, 228), (238, 220, 130), (240, 180, 190), (170, 205, 235)
LIGHT_INKS = (
    (255, 255, 255), (252, 250, 240), (240, 240, 240), (225, 228, 230), (255, 250, 200), (225, 242, 255),
    (255, 228, 235), (255, 220, 0), (0, 200, 90),
)  # fmt: skip
SEVERAL_STROKES = {
    "4": [[(0.34, 0.12), (0.26, 0.55), (0.74, 0.55)], [(0.62, 0.3), (0.6, 0.9)]],
    "5": [[(0.34, 0.14), (0.31, 0.46), *arc(0.46, 0.65, 0.25, 0.22, -110, 150)], [(0.42, 0.11), (0.76, 0.1)]],
    "7": [[(0.26, 0.16), (0.74, 0.16), (0.44, 0.88)], [(0.4, 0.5), (0.72, 0.48)]],
    "8": [arc(0.52, 0.3, 0.17, 0.17, 60, -280), arc(0.49, 0.72, 0.22, 0.19, -70, 270)],
}


class Photograph(NamedTuple):
    """An image H x W x 3 or H x W x 4 uint8, and its digits from left to right, separated by spaces.

    `turn` is the clockwise turn in degrees that sets the image upright.
    """

    pixels: np.ndarray
    right: str
    turn: int = 0


class Glyph(NamedTuple):
    """A digit: its ink H x W from 0 to 1, cropped, and its label."""

    ink: np.ndarray
    label: str


def generate(kind: str, count: int, size: Size = SIZE, seed: int = 0) -> Iterator[Photograph]:
    """So many photographs of one of KINDS, the same for the same seed. Raises KeyError."""
    make = KINDS[kind]
    for number in range(count):
        yield make(np.random.default_rng([seed, zlib.crc32(kind.encode()), number]), size)


# Ink


@cache
def _several_components() -> np.ndarray:
    """Indices of the test digits of two parts of at least 8 pixels each."""
    images = (load_test_set("mnist")[0] > 100).astype(np.uint8)
    areas = [cv2.connectedComponentsWithStats(image)[2][1:, cv2.CC_STAT_AREA] for image in images]
    return np.flatnonzero([np.count_nonzero(area >= 8) > 1 for area in areas])


def mnist_digit(rng: Rng, among: np.ndarray | None = None) -> Glyph:
    """A MNIST test digit of these indices, by default of all, enlarged with smooth edges."""
    images, labels = load_test_set("mnist")
    number = rng.integers(len(images)) if among is None else rng.choice(among)
    large = cv2.resize(images[number], None, fx=16, fy=16, interpolation=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(large, (0, 0), 7).astype(np.float32) / 255
    return Glyph(_crop(np.clip((smooth - rng.uniform(0.34, 0.46)) * 8 + 0.5, 0, 1)), str(labels[number]))


def drawn_digit(rng: Rng, digits: dict[str, list] = DIGITS, pen: tuple[float, float] = (0.05, 0.13)) -> Glyph:
    """A digit drawn in strokes, by a hand of its own: slant, width, pen and a trembling line."""
    name = str(rng.choice([*digits]))
    slant, width, thickness = rng.uniform(-0.12, 0.25), rng.uniform(0.75, 1.15), rng.uniform(*pen)
    ink = np.zeros((480, 480), np.float32)
    for stroke in digits[name]:
        points = _trembling(rng, stroke, 0.012)
        x = 240 + 360 * (width * (points[:, 0] - 0.5) - slant * (points[:, 1] - 0.5))
        _draw(ink, np.stack([x, 60 + 360 * points[:, 1]], 1), 360 * thickness)
    return Glyph(_crop(ink), name[0])


def any_digit(rng: Rng) -> Glyph:
    return mnist_digit(rng) if rng.random() < 0.7 else drawn_digit(rng)


def _crop(ink: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(ink.max(1) > 0.1), np.flatnonzero(ink.max(0) > 0.1)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _draw(ink: np.ndarray, points: Points, thickness: float) -> None:
    """Adds a line, antialiased, with round ends; the points and its thickness in pixels."""
    layer = np.zeros(ink.shape, np.uint8)
    fixed = np.rint(np.asarray(points) * 16).astype(np.int32)  # with 4 fractional bits
    cv2.polylines(layer, [fixed], False, 255, max(1, round(thickness)), cv2.LINE_AA, shift=4)
    np.maximum(ink, layer / np.float32(255), out=ink)


def _trembling(rng: Rng, points: Points, amount: float) -> np.ndarray:
    """Points along a line, N x 2, moved smoothly by about so much."""
    corners = np.asarray(points, float)
    along = np.append(0, np.hypot(*np.diff(corners, axis=0).T).cumsum())
    steps = np.linspace(0, along[-1], 60)
    line = np.stack([np.interp(steps, along, axis) for axis in corners.T], 1)
    noise = cv2.GaussianBlur(rng.normal(size=(60, 2)), (1, 0), sigmaX=1e-3, sigmaY=8)
    return line + amount * noise / noise.std()


# Paper


class Page:
    """A sheet that is written on: its surface H x W x 3 as evenly lit, and the box and pen of what was written last."""

    def __init__(self, rng: Rng, size: Size, colour: Colour | None = None):
        self.rng, self.size, self.unit = rng, size, min(size)
        colour = PAPERS[rng.integers(len(PAPERS))] if colour is None else colour
        self.surface = np.empty((*size, 3), np.float32)
        self.surface[:] = np.asarray(colour) * _uneven(rng, size, 40, 0.004)[..., None]
        self.colour: Colour = PENS[rng.integers(len(PENS))]
        self.box = 0.0, 0.0, 0.0, 0.0  # left, top, right and bottom in pixels
        self.height = rng.uniform(0.2, 0.45) * self.unit  # of a digit, in pixels
        self.pen = 0.0  # thickness of its strokes in pixels

    def blank(self) -> np.ndarray:
        """A layer for ink."""
        return np.zeros(self.size, np.float32)

    def put(self, ink: np.ndarray, colour: Colour | None = None, opacity: float = 1) -> None:
        """Covers the surface with ink H x W from 0 to 1."""
        left, top, width, height = cv2.boundingRect((ink > 0).astype(np.uint8))
        there = self.surface[top : top + height, left : left + width]
        cover = opacity * ink[top : top + height, left : left + width, None]
        there += cover * (np.float32(self.colour if colour is None else colour) - there)

    def line(self, points: Points, thickness: float, colour: Colour | None = None, opacity: float = 1) -> None:
        layer = self.blank()
        _draw(layer, points, thickness)
        self.put(layer, colour, opacity)

    def write(self, glyph: Glyph, x: float | None = None, y: float | None = None) -> np.ndarray:
        """Puts a digit with its centre at this place, by default near the middle, and returns its ink."""
        height, width = self.size
        x = width * self.rng.uniform(0.4, 0.6) if x is None else x
        y = height * self.rng.uniform(0.4, 0.6) if y is None else y
        rows, columns = glyph.ink.shape
        turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), self.rng.uniform(-5, 5), self.height / rows)
        turn[:, 2] += x - columns / 2, y - rows / 2
        ink = _warp(glyph.ink, np.vstack([turn, [0, 0, 1]]), self.size)
        left, top, across, down = cv2.boundingRect((ink > 0.3).astype(np.uint8))
        self.box = left, top, left + across, top + down
        inside = cv2.distanceTransform((ink > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        self.pen = 2 * float(np.percentile(inside[inside > 0], 90))
        self.put(ink)
        return ink

    def away(self, distance: float = 0.1) -> tuple[float, float]:
        """A place outside the digit's box, so far from it and from the edges, in shares of the shorter side."""
        left, top, right, bottom = self.box
        for _ in range(100):
            x, y = (self.rng.uniform(0.05 * self.unit, side - 0.05 * self.unit) for side in self.size[::-1])
            if max(left - x, x - right, top - y, y - bottom) > distance * self.unit:
                break
        return x, y


def _uneven(rng: Rng, size: Size, grain: float, amount: float) -> np.ndarray:
    """A smooth random surface H x W around 1; `grain` are its bumps along a side, `amount` its std."""
    height, width = size
    cells = max(2, round(grain * height / max(size))), max(2, round(grain * width / max(size)))
    noise = rng.normal(1, amount, cells).astype(np.float32)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def _warp(image: np.ndarray, matrix: np.ndarray, size: Size) -> np.ndarray:
    """The image under a 3 x 3 homography, with black around it; averaged where it becomes smaller."""
    shrink = math.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    if shrink < 0.7:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / shrink)
    return cv2.warpPerspective(image, matrix, size[::-1], flags=cv2.INTER_LINEAR)


# Desk, light and camera


def desk(rng: Rng, size: Size) -> np.ndarray:
    """A desk H x W x 3 of wood, stone or plastic: grain along one direction, in some the gaps of boards."""
    colour = np.float32(DESKS[rng.integers(len(DESKS))]) * rng.uniform(0.85, 1.1)
    noise = rng.normal(size=(size[0] // 4, size[1] // 4)).astype(np.float32)
    along = rng.choice([1.0, 6.0, 40.0])
    noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=along, sigmaY=1)
    grain = cv2.resize(noise / noise.std(), size[::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        grain = cv2.resize(np.ascontiguousarray(grain.T), size[::-1])
    light = 1 + rng.uniform(0.01, 0.08) * grain
    if rng.random() < 0.3:
        gap = max(1, round(0.004 * min(size)))
        for row in range(rng.integers(size[0] // 6), size[0], size[0] // rng.integers(3, 6)):
            light[row : row + gap] *= 0.7
    return np.clip(colour * light[..., None], 0, 255)


def lay(page: Page, corners: Points) -> np.ndarray:
    """The page on a desk, H x W x 3, its corners clockwise from the top left at these pixels, with a narrow shadow."""
    height, width = page.size
    start = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
    matrix = cv2.getPerspectiveTransform(start, np.float32(corners))
    cover = _warp(np.ones(page.size, np.float32), matrix, page.size)[..., None]
    reach = page.rng.uniform(0.002, 0.015) * page.unit
    near = cv2.GaussianBlur(cover, (0, 0), reach)[..., None]
    shade = 1 - page.rng.uniform(0, 0.5) * np.roll(near, round(reach), (0, 1))
    ground = desk(page.rng, page.size) * (shade if page.rng.random() < 0.7 else 1)
    return _warp(page.surface, matrix, page.size) + (1 - cover) * ground


def quadrilateral(rng: Rng, size: Size, insets: Sequence[float], degrees: float, skew: float) -> np.ndarray:
    """The corners of a sheet in the frame, turned by up to so many degrees and seen from the side.

    `insets` are the distances of its edges from the frame, left, top, right and bottom; negative ones lie outside.
    """
    height, width = size
    left, top, right, bottom = (each * min(size) for each in insets)
    corners = np.float32([(left, top), (width - right, top), (width - right, height - bottom), (left, height - bottom)])
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-degrees, degrees), 1)
    corners = corners @ turn[:, :2].T + turn[:, 2]
    return corners + rng.uniform(-skew, skew, (4, 2)) * min(size)


def light(rng: Rng, size: Size, least: float = 0.6) -> np.ndarray:
    """The light on the page, H x W x 3: brighter to one side, darker in the corners, warm or cold."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in size), indexing="ij")
    angle = rng.uniform(0, 2 * math.pi)
    slope = (math.cos(angle) * x + math.sin(angle) * y) / 2.83 + 0.5
    level = 1 - (1 - rng.uniform(least, 1)) * slope - rng.uniform(0, 0.07) * (x * x + y * y)
    warmth = rng.uniform(-0.06, 0.1)
    return level[..., None] * np.float32([1, 1 - abs(warmth) / 3, 1 - warmth]) * rng.uniform(0.85, 1)


def shadow(rng: Rng, page: Page, edge: tuple[float, float], tint: float) -> np.ndarray:
    """What a phone, hand or head leaves of the light, H x W x 3; its edge crosses the digit or comes near it.

    `edge` are the least and greatest width of the edge, `tint` the greatest difference between colours.
    """
    left, top, right, bottom = page.box
    reach = rng.uniform(0.2, 0.6) * page.unit, 1.6 * max(page.size)  # half its width, and its length
    tip = rng.uniform(left, right), rng.uniform(top, bottom)
    corners = np.float32([(-reach[0], 0), (reach[0], 0), (reach[0], reach[1]), (-reach[0], reach[1])])
    corners[:, 0] += rng.uniform(-1, 1) * reach[0]
    angle = math.radians(90 * rng.integers(4) + rng.uniform(-25, 25))  # from any side
    turn = np.float32([(math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))])
    dark = np.zeros(page.size, np.uint8)
    cv2.fillPoly(dark, [np.rint(corners @ turn + np.float32(tip)).astype(np.int32)], 255, cv2.LINE_AA)
    blur = rng.uniform(*edge) * page.unit
    small = cv2.resize(dark, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA) if blur > 8 else dark
    soft = cv2.GaussianBlur(small.astype(np.float32), (0, 0), blur * len(small) / len(dark))
    depth = rng.uniform(0.3, 0.7) * (1 + tint * rng.uniform(-1, 1, 3))
    return 1 - cv2.resize(soft, page.size[::-1])[..., None] / 255 * np.clip(depth, 0, 0.75).astype(np.float32)


def camera(rng: Rng, scene: np.ndarray) -> np.ndarray:
    """The photograph H x W x 3 uint8 of a lit scene: blur, noise and JPEG."""
    scale = max(scene.shape) / max(SIZE)
    image = cv2.GaussianBlur(scene.astype(np.float32), (0, 0), rng.uniform(0.4, 1.3) * scale)
    noise = rng.standard_normal((*image.shape[:2], 1), np.float32) + 0.5 * rng.standard_normal(image.shape, np.float32)
    image = np.clip(image + rng.uniform(0.5, 4) * noise, 0, 255).astype(np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 96))]
    return cv2.imdecode(cv2.imencode(".jpg", image[..., ::-1], options)[1], cv2.IMREAD_COLOR)[..., ::-1]


def shoot(page: Page, label: str, lit: np.ndarray | float = 1) -> Photograph:
    """The page itself as the photograph, in the light of the room."""
    return Photograph(camera(page.rng, page.surface * light(page.rng, page.size) * lit), label)


# Kinds: each is a function of the generator and the size


def plain(rng: Rng, size: Size, glyph: Callable[[Rng], Glyph] = any_digit) -> Photograph:
    page, digit = Page(rng, size), glyph(rng)
    page.write(digit)
    return shoot(page, digit.label)


def shadowed(rng: Rng, size: Size, edge: tuple[float, float] = (0.01, 0.05), tint: float = 0.04) -> Photograph:
    page, digit = Page(rng, size), any_digit(rng)
    page.write(digit)
    return shoot(page, digit.label, shadow(rng, page, edge, tint))


def on_desk(rng: Rng, size: Size, sides: int | None = None, is_shadowed: bool = False) -> Photograph:
    """The whole sheet, or one with the desk at so many sides; with the shadow of the phone over both."""
    page, digit = Page(rng, size), any_digit(rng)
    page.write(digit)
    insets, degrees = rng.uniform(0.06, 0.2, 4), 25
    if sides is not None:
        insets[rng.permutation(4)[sides:]] = -rng.uniform(0.15, 0.35)
        degrees = 10
    scene = lay(page, quadrilateral(rng, size, insets, degrees, 0.04)) * light(rng, size)
    dark = shadow(rng, page, (0.01, 0.05), 0.04) if is_shadowed else 1
    return Photograph(camera(rng, scene * dark), digit.label)


def desk_beside(rng: Rng, size: Size) -> Photograph:
    return on_desk(rng, size, int(rng.integers(1, 4)))


def perspective(rng: Rng, size: Size) -> Photograph:
    """Seen from the side; the sheet fills the frame."""
    page, digit = Page(rng, size), any_digit(rng)
    page.write(digit)
    scene = lay(page, quadrilateral(rng, size, [-0.4] * 4, 8, 0.12))
    return Photograph(camera(rng, scene * light(rng, size)), digit.label)


def marker(rng: Rng, size: Size) -> Photograph:
    page, digit = Page(rng, size), any_digit(rng)
    page.colour = np.clip(np.float32(MARKERS[rng.integers(len(MARKERS))]) + rng.uniform(-12, 12, 3), 0, 255)
    page.write(digit)
    return shoot(page, digit.label)


def _same_luminance(rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """Two colours far apart whose luminance (ITU-R 601) differs by less than FAINTEST grey levels."""
    while True:
        a, b = rng.choice([0, 255], (2, 3)) * 0.6 + rng.uniform(0, 100, (2, 3))
        if abs((a - b) @ (0.299, 0.587, 0.114)) < 10 and math.dist(a, b) > 130:
            return a, b


def colour_alone(rng: Rng, size: Size) -> Photograph:
    """Half of them as a drawing program saves them, half as photographs."""
    colour, ink = _same_luminance(rng)
    page, digit = Page(rng, size, colour), any_digit(rng)
    page.colour = ink
    if rng.random() < 0.5:
        page.surface[:] = np.rint(colour)
        page.write(digit)
        return Photograph(np.rint(page.surface).astype(np.uint8), digit.label)
    page.write(digit)
    return shoot(page, digit.label)


def transparent(rng: Rng, size: Size) -> Photograph:
    """Light ink, or any, on transparency; where it is clear, the colour is black, white or that of the ink."""
    page, digit = Page(rng, size), any_digit(rng)
    alpha = page.write(digit)
    ink = np.float32(LIGHT_INKS[rng.integers(len(LIGHT_INKS))])
    clear = (np.zeros(3), np.full(3, 255), ink)[rng.integers(3)]
    colours = np.where(alpha[..., None] > 0, ink, clear)
    return Photograph(np.rint(np.dstack([colours, 255 * alpha])).astype(np.uint8), digit.label)


def specks(rng: Rng, size: Size) -> Photograph:
    """Staples and specks away from the digit."""
    page, digit = Page(rng, size), any_digit(rng)
    page.write(digit)
    for _ in range(rng.integers(1, 5)):
        x, y = page.away()
        angle, length = rng.uniform(0, math.pi), page.unit * rng.choice([0.0, rng.uniform(0.02, 0.06)])
        end = x + length * math.cos(angle), y + length * math.sin(angle)
        page.line([(x, y), end], page.unit * rng.uniform(0.004, 0.012), np.full(3, rng.uniform(20, 120)))
    return shoot(page, digit.label)


def punched(rng: Rng, size: Size) -> Photograph:
    """Two or four holes along the left or right edge."""
    page, digit = Page(rng, size), any_digit(rng)
    page.write(digit)
    x = page.unit * rng.uniform(0.05, 0.09)
    x = x if rng.random() < 0.5 else size[1] - x
    below = desk(rng, size).mean((0, 1))
    for share in np.linspace(-1, 1, rng.choice([2, 4])) * rng.uniform(0.2, 0.35) + 0.5:
        page.line([(x, size[0] * share)] * 2, page.unit * rng.uniform(0.03, 0.035), below * 0.7)
    return shoot(page, digit.label)


def stained(rng: Rng, size: Size) -> Photograph:
    """The ring of a cup, or a spill, anywhere on the page."""
    page, digit = Page(rng, size), any_digit(rng)
    page.write(digit)
    x, y, radius = rng.uniform(0, size[1]), rng.uniform(0, size[0]), page.unit * rng.uniform(0.12, 0.3)
    stain, start = page.blank(), rng.uniform(0, 360)
    if rng.random() < 0.6:
        _draw(
            stain, arc(x, y, radius, radius, start, start + rng.uniform(200, 360)), page.unit * rng.uniform(0.01, 0.03)
        )
    else:
        _draw(stain, _trembling(rng, [(x, y), (x + 1, y + radius)], 0.03 * page.unit), radius)
    blurred = cv2.GaussianBlur(stain, (0, 0), 0.004 * page.unit) * _uneven(rng, size, 12, 0.25)
    page.surface *= 1 - blurred[..., None] * rng.uniform(0.05, 0.22) * np.float32([0.6, 1, 1.7])
    return shoot(page, digit.label)


def underlined(rng: Rng, size: Size) -> Photograph:
    """Once or twice, a quarter of them touching the digit."""
    page, digit = Page(rng, size), any_digit(rng)
    page.write(digit)
    left, _, right, bottom = page.box
    height, pen = page.height, page.pen * rng.uniform(0.5, 1.1)
    gap = pen + height * rng.uniform(0.06, 0.35) if rng.random() < 0.75 else 0
    for _ in range(rng.choice([1, 2])):
        ends = left - height * rng.uniform(-0.05, 0.5), right + height * rng.uniform(-0.05, 0.5)
        y = bottom + gap + rng.uniform(-0.03, 0.03, 2) * height * (gap > 0)
        page.line(_trembling(rng, [(ends[0], y[0]), (ends[1], y[1])], 0.008 * height), pen)
        gap += pen + height * rng.uniform(0.08, 0.15)
    return shoot(page, digit.label)


def circled(rng: Rng, size: Size) -> Photograph:
    """In one sweep that does not end where it began."""
    page, digit = Page(rng, size), any_digit(rng)
    page.height *= 0.7  # so that what is around it stays in the frame
    page.write(digit)
    left, top, right, bottom = page.box
    radius = math.hypot(right - left, bottom - top) / 2 + page.pen * 1.5
    start, reach = rng.uniform(0, 360), rng.uniform(1.05, 1.7, 2) * radius
    points = arc((left + right) / 2, (top + bottom) / 2, *reach, start, start + rng.uniform(345, 400))
    colour = page.colour if rng.random() < 0.7 else PENS[2]
    page.line(_trembling(rng, points, 0.02 * radius), page.pen * rng.uniform(0.4, 1), colour)
    return shoot(page, digit.label)


def _box(page: Page, left: float, top: float, right: float, bottom: float, colour: Colour, thickness: float) -> None:
    page.line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], thickness, colour)


def boxed(rng: Rng, size: Size) -> Photograph:
    """A box drawn with a ruler, or by hand."""
    page, digit = Page(rng, size), any_digit(rng)
    page.height *= 0.7  # so that what is around it stays in the frame
    page.write(digit)
    left, top, right, bottom = page.box
    margins = page.pen + rng.uniform(0.12, 0.7, 4) * page.height
    left, top, right, bottom = left - margins[0], top - margins[1], right + margins[2], bottom + margins[3]
    corners = np.float32([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)])
    if rng.random() < 0.5:
        _box(page, left, top, right, bottom, (60, 60, 64), page.unit * rng.uniform(0.003, 0.008))
    else:
        corners += rng.uniform(-0.05, 0.05, (5, 2)) * page.height
        page.line(_trembling(rng, corners, 0.01 * page.height), page.pen * rng.uniform(0.4, 1))
    return shoot(page, digit.label)


def form(rng: Rng, size: Size) -> Photograph:
    """A row of printed boxes of which one is filled."""
    page, digit = Page(rng, size), any_digit(rng)
    page.height = rng.uniform(0.1, 0.18) * page.unit
    page.write(digit)
    left, top, right, bottom = page.box
    side = rng.uniform(1.35, 1.8) * max(right - left, bottom - top)
    gap = rng.choice([0, rng.uniform(0.08, 0.3)]) * side
    x, y = (left + right - side) / 2, (top + bottom - side) / 2
    before = rng.integers(0, max(1, int(x // (side + gap))) + 1)
    after = rng.integers(1, max(1, int((size[1] - x - side) // (side + gap))) + 1)
    thickness, colour = page.unit * rng.uniform(0.002, 0.006), np.full(3, rng.uniform(20, 150))
    for place in range(-before, after + 1):
        start = x + place * (side + gap)
        _box(page, start, y, start + side, y + side, colour, thickness)
    return shoot(page, digit.label)


def _rule(page: Page, spacing: float, axes: Sequence[int]) -> None:
    """Printed lines across the page, so far apart, along these axes: 0 for columns, 1 for rows."""
    colour = ((130, 165, 215), (150, 150, 155), (170, 140, 170))[page.rng.integers(3)]
    layer, (height, width), tilt = page.blank(), page.size, page.rng.uniform(-0.03, 0.03)
    for axis in axes:
        for at in np.arange(page.rng.uniform(-0.5, 0.5) * spacing, max(page.size) + spacing, spacing):
            ends = [(at, 0), (at - tilt * height, height)] if axis == 0 else [(0, at), (width, at + tilt * width)]
            _draw(layer, ends, page.unit * 0.003)
    page.put(layer, colour, page.rng.uniform(0.3, 0.9))


def ruled(rng: Rng, size: Size, axes: Sequence[int] = (1,), spacing: tuple[float, float] = (0.06, 0.12)) -> Photograph:
    page, digit = Page(rng, size), any_digit(rng)
    _rule(page, rng.uniform(*spacing) * page.unit, axes)
    page.write(digit)
    return shoot(page, digit.label)


def squared(rng: Rng, size: Size) -> Photograph:
    return ruled(rng, size, (0, 1), (0.03, 0.08))


def margin(rng: Rng, size: Size) -> Photograph:
    """A margin line in red at one side, in half of them on ruled paper."""
    page, digit = Page(rng, size), any_digit(rng)
    if rng.random() < 0.5:
        _rule(page, rng.uniform(0.06, 0.12) * page.unit, (1,))
    x = size[1] * abs((rng.random() < 0.3) - rng.uniform(0.08, 0.2))
    page.line([(x, 0), (x + page.unit * rng.uniform(-0.02, 0.02), size[0])], page.unit * 0.005, (215, 90, 100))
    page.write(digit)
    return shoot(page, digit.label)


def several(rng: Rng, size: Size) -> Photograph:
    """Two to four digits in a row, in one pen, apart or with overlapping columns but not touching."""
    page, glyphs = Page(rng, size), [any_digit(rng) for _ in range(rng.integers(2, 5))]
    size_of_all = rng.uniform(0.55, 0.8) * page.size[1]
    page.height = min(size_of_all / sum(0.35 + g.ink.shape[1] / len(g.ink) for g in glyphs), 0.35 * page.unit)
    height, y = page.height, size[0] * rng.uniform(0.4, 0.6)
    x, gap = (size[1] - size_of_all) / 2 + height / 2, rng.uniform(-0.08, 0.4)
    written = page.blank()
    for glyph in glyphs:
        page.height = height * rng.uniform(0.85, 1.1)
        half = page.height * glyph.ink.shape[1] / len(glyph.ink) / 2
        ink, x = _beside(page, glyph, written, x + half + max(0, gap) * height, y + height * rng.uniform(-0.1, 0.1))
        page.put(ink)
        written = np.maximum(written, ink)
        x += half + min(0, gap) * height
    return shoot(page, " ".join(glyph.label for glyph in glyphs))


def _beside(page: Page, glyph: Glyph, written: np.ndarray, x: float, y: float) -> tuple[np.ndarray, float]:
    """The ink of a digit at this place, or as far to the right as keeps it clear of what is written, and its x."""
    clear = cv2.dilate(written, np.ones((2 * round(0.04 * page.height) + 1,) * 2))
    scale = page.height / len(glyph.ink)
    while True:
        start = x - scale * glyph.ink.shape[1] / 2, y - page.height / 2
        ink = _warp(glyph.ink, np.float32([(scale, 0, start[0]), (0, scale, start[1]), (0, 0, 1)]), page.size)
        if not (ink * clear > 0.05).any():
            return ink, x
        x += 0.03 * page.height


def looped_9(rng: Rng, size: Size) -> Photograph:
    """A 9 in one stroke on the canvas: from the left across the stem, round the loop, down the stem."""
    side = 280
    x, y = rng.uniform(0.42, 0.58), rng.uniform(0.26, 0.34)
    across, up = rng.uniform(0.09, 0.18), rng.uniform(0.1, 0.18)
    low = y + up * rng.uniform(0.7, 1.2)
    start = x - across - rng.uniform(0.08, 0.25), low + rng.uniform(-0.05, 0.06)
    foot = x - across + rng.uniform(-0.05, 0.18), rng.uniform(0.8, 0.93)
    turn = arc(x, y, across, up, rng.uniform(20, 60), -180 - rng.uniform(0, 25))
    path = np.array([start, (x, low), *turn, foot])
    path = cv2.GaussianBlur(
        _trembling(rng, path, 0.002), (1, 0), sigmaX=1e-3, sigmaY=1.5, borderType=cv2.BORDER_REPLICATE
    )
    ink = np.zeros((4 * side, 4 * side), np.float32)
    _draw(ink, path * 4 * side, 4 * side * rng.uniform(0.05, 0.085))
    canvas = 255 - 238 * cv2.resize(ink, (side, side), interpolation=cv2.INTER_AREA)
    return Photograph(np.repeat(np.rint(canvas).astype(np.uint8)[..., None], 3, 2), "9")


def turned(rng: Rng, size: Size) -> Photograph:
    """By 90, 180 or 270 degrees, of digits that then are not those of another one or the same."""
    quarters = int(rng.integers(1, 4))
    labels = "23457" if quarters == 2 else "2345679"
    digit = any_digit(rng)
    while digit.label not in labels:
        digit = any_digit(rng)
    page = Page(rng, size)
    page.write(digit)
    upright = shoot(page, digit.label)
    return Photograph(np.ascontiguousarray(np.rot90(upright.pixels, quarters)), digit.label, 90 * quarters)


def pencil(rng: Rng, size: Size) -> Photograph:
    """Thin and grey, with the grain of the paper in it."""
    page, digit = Page(rng, size), drawn_digit(rng, pen=(0.025, 0.05))
    page.colour = np.full(3, rng.uniform(70, 125))
    layer = Page(rng, size)
    layer.height = page.height
    page.put(layer.write(digit) * np.clip(_uneven(rng, size, 250, 0.25) - 0.1, 0, 1))
    return shoot(page, digit.label)


def chalk(rng: Rng, size: Size) -> Photograph:
    """Chalk on a wiped board."""
    page, digit = Page(rng, size, BOARDS[rng.integers(len(BOARDS))]), any_digit(rng)
    page.surface += np.clip(_uneven(rng, size, 5, 8) - 1, 0, 14)[..., None]
    layer = Page(rng, size)
    layer.height = page.height
    grain = np.clip(_uneven(rng, size, 200, 0.3), 0.3, 1)
    page.put(layer.write(digit) * grain, CHALKS[rng.integers(len(CHALKS))])
    return shoot(page, digit.label)


def glare(rng: Rng, size: Size) -> Photograph:
    """A lamp is mirrored in the page near the digit."""
    page, digit = Page(rng, size, (225, 224, 220)), any_digit(rng)
    page.write(digit)
    x, y = page.away(0.03)
    cols, rows = np.meshgrid(np.arange(size[1]), np.arange(size[0]))
    far = np.hypot(cols - x, rows - y) / (page.unit * rng.uniform(0.12, 0.3))
    scene = page.surface * light(rng, size) + rng.uniform(60, 140) * np.exp(-(far[..., None] ** 2))
    return Photograph(camera(rng, scene), digit.label)


def of_several_strokes(rng: Rng) -> Glyph:
    """A digit whose ink is in several parts: of the test digits, or drawn."""
    if rng.random() < 0.6:
        return mnist_digit(rng, _several_components())
    return drawn_digit(rng, SEVERAL_STROKES)


def garment(rng: Rng, size: Size) -> Photograph:
    """A flat garment with folds on a floor; the right answer is its class."""
    scene, name = desk(rng, size), str(rng.choice(["T-shirt/top", "Trouser"]))
    middle, side = np.float32(size[::-1]) / 2, 0.8 * min(size)
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [np.rint(side * (np.float32(CLOTHES[name]) - 0.5) + middle).astype(np.int32)], 255, cv2.LINE_AA)
    cloth = rng.uniform(20, 235, 3) * _uneven(rng, size, 9, 0.12)[..., None]
    scene += (mask / np.float32(255))[..., None] * (np.clip(cloth, 0, 255) - scene)
    return Photograph(camera(rng, scene * light(rng, size)), name)


KINDS: dict[str, Callable[[Rng, Size], Photograph]] = {
    "plain": plain,
    "digit of several strokes": lambda rng, size: plain(rng, size, of_several_strokes),
    "shadow, soft edge": shadowed,
    "shadow, hard edge": lambda rng, size: shadowed(rng, size, (0.001, 0.004)),
    "shadow in coloured light": lambda rng, size: shadowed(rng, size, (0.002, 0.05), 0.2),
    "sheet on a desk": on_desk,
    "desk beside the sheet": desk_beside,
    "shadowed sheet on a desk": lambda rng, size: on_desk(rng, size, is_shadowed=True),
    "seen from the side": perspective,
    "marker": marker,
    "ink that differs in colour alone": colour_alone,
    "ink on transparency": transparent,
    "staples and specks": specks,
    "hole punches": punched,
    "stain": stained,
    "underlined": underlined,
    "circled": circled,
    "boxed": boxed,
    "form of several boxes": form,
    "ruled paper": ruled,
    "squared paper": squared,
    "margin line": margin,
    "several digits": several,
    "looped 9": looped_9,
    "turned": turned,
    "pencil": pencil,
    "chalk": chalk,
    "glare": glare,
}
