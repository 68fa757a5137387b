"""The garment in a photograph as people take it: on a floor, a bed, a hanger.

GrabCut (Rother, Kolmogorov and Blake 2004, "GrabCut": interactive foreground extraction using iterated graph cuts)
separates the garment from its ground, from two first guesses; where the two results agree, they are credible. The
garment is then given the look of Fashion-MNIST's product photographs: negated luminance on black, narrower than a
garment that lies spread out. Constants marked "measured" were chosen on 84 photographs of clothing.
"""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np

from cnn_models.images.arrays import over_white, shrink
from cnn_models.images.steps import Found, Step

SIDE = 160  # pixels of the longer edge at which GrabCut runs; its time grows faster than their number
SHOWN_SIDE = 512  # pixels of the longer edge of the step and of the garment
ROUNDS = 2  # of GrabCut; 3 rounds at 200 pixels read as many of 72 garments right, and take up to 530 ms, not 240
FRAME = 0.03  # of the longer edge: the strip at the border that is ground
MIDDLE = 0.7  # of the half axes: the ellipse that is compared with the border
BINS = 16, 32, 32  # of the three channels of a histogram of colours
BIN = np.array([256 // count for count in BINS], np.uint8)  # levels of each
OF_GARMENT = 0.55  # of a colour's frequencies in the middle and at the border: from this share in the middle on
THIN = 0.012  # of the longer edge: half the width of hooks of hangers and lines of the floor, at most
HOLE = 0.03  # of the garment; smaller holes are prints in the colour of the ground
LEAST = 0.04  # of the photograph that a garment covers
FAINTEST = 16  # levels between the darkest and the brightest, at least, in one of the channels
AGREEMENT = 0.85  # intersection over union of the two results from which they are credible; measured
MIRRORED = 0.7  # mirror symmetry of garments that are spread out, at least; measured
ANOTHER = 0.3  # area of a second thing over that of the garment, at least
NOTCH = 0.05  # of the height: the gap from above and from below between a pair of shoes, at least; measured
# Garments lie with their arms spread, while Fashion-MNIST's hang: the median width over height of tops is 0.95 on
# photographs, and 0.75 there. So half of the width beyond SLIM of the height is taken away, but not from shoes, which
# are wider than WIDEST, or wider than WIDE and less than MIRRORED_WIDE.
SLIM, WIDE, WIDEST, MIRRORED_WIDE = 0.6, 1.25, 1.7, 0.6
TONE = 190  # the median level of a garment, as in Fashion-MNIST
DARKEST = 30  # level of a garment, which is brighter than the ground


def find_garment(pixels: np.ndarray, off: Collection[str] = ()) -> Found:
    """The garment of a photograph, H x W (x 3 or 4) uint8, upright and in front of its ground.

    Its step is `ground`, the photograph with the garment's outline; nothing is found with "ground" in `off`. Its image
    is bright on black, with a black margin. `doubt` is "ground" if its outline is not credible, "pair" for a pair of
    shoes from above or several things, and "shoes" if it has no mirror symmetry: a garment that is not spread out, or
    a shoe, which networks read well only from the side.
    """
    if "ground" in off:
        return Found((), ())
    photo = shrink(over_white(pixels), SHOWN_SIDE)
    small = cv2.cvtColor(shrink(photo, SIDE), cv2.COLOR_RGB2LAB)
    if np.ptp(small, axis=(0, 1)).max() < FAINTEST:
        return Found((), (), "ground")
    parts = [_without_thin(_grab_cut(small, guess)) for guess in (_all_but_frame(small), _unlike_border(small))]
    garments = [_garment(part) for part in parts]
    credible = [index for index, garment in enumerate(garments) if garment.mean() >= LEAST]
    if not credible:
        return Found((Step("ground", photo),), (), "ground")
    agreement = _overlap(*garments)
    # Where they disagree, the greater mostly contains some of the ground.
    chosen = credible[0] if agreement >= AGREEMENT else min(credible, key=lambda index: garments[index].sum())
    mask = garments[chosen]
    large = cv2.resize(mask * 255, photo.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 127
    doubt = _doubt(parts[chosen], mask, agreement)
    return Found((Step("ground", photo, outline=_outline(large)),), (_product_photo(photo, large),), doubt)


def symmetry(mask: np.ndarray) -> float:
    """The mirror symmetry of a mask, H x W: intersection over union with its mirror image in its own box."""
    cut = _cut(mask, mask)
    return _overlap(cut, cut[:, ::-1])


def _doubt(parts: np.ndarray, mask: np.ndarray, agreement: float) -> str:
    if _notch(mask) >= NOTCH or _second(parts) >= ANOTHER:
        return "pair"
    if agreement < AGREEMENT:
        return "ground"
    return "shoes" if symmetry(mask) < MIRRORED else ""


def _all_but_frame(image: np.ndarray) -> np.ndarray:
    """A guess for GrabCut, H x W: all but a frame may be garment."""
    frame = _frame(image, FRAME)
    return np.where(frame, cv2.GC_BGD, cv2.GC_PR_FGD).astype(np.uint8)


def _unlike_border(image: np.ndarray) -> np.ndarray:
    """A guess for GrabCut, H x W: colours that are more frequent in the middle than at the border may be garment."""
    height, width = image.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    middle, border = _frequencies(image, np.hypot(x, y) < MIDDLE), _frequencies(image, _frame(image, 2 * FRAME))
    share = (middle / (middle + border + 1e-6))[tuple(np.moveaxis(image // BIN, 2, 0))]
    is_garment = cv2.GaussianBlur(share, (0, 0), SIDE / 80) > OF_GARMENT
    guess = np.where(is_garment, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    return np.where(_frame(image, FRAME), cv2.GC_BGD, guess).astype(np.uint8)


def _frame(image: np.ndarray, share: float) -> np.ndarray:
    """The pixels at the border, H x W bool, up to this share of the longer edge."""
    width = max(1, round(share * max(image.shape)))
    frame = np.ones(image.shape[:2], bool)
    frame[width:-width, width:-width] = False
    return frame


def _frequencies(image: np.ndarray, part: np.ndarray) -> np.ndarray:
    """The smoothed histogram of the colours of a part of the image: BINS, their sum is 1."""
    counts = cv2.calcHist([image], [0, 1, 2], part.astype(np.uint8), list(BINS), [0, 256] * 3)
    for axis in range(3):
        counts += (np.roll(counts, 1, axis) + np.roll(counts, -1, axis)) / 2
    return counts / max(1, counts.sum())  # of an image one pixel wide, no middle is left


def _grab_cut(image: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """The foreground by GrabCut, H x W uint8 of 0 and 1."""
    if not (guess == cv2.GC_PR_FGD).any():
        return np.zeros_like(guess)
    cv2.setRNGSeed(0)  # of k-means, which begins each mixture of colours
    models = np.zeros((1, 65)), np.zeros((1, 65))
    mask = cv2.grabCut(image, guess, (0, 0, 0, 0), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)[0]
    return np.asarray(mask, np.uint8) & 1  # GC_FGD or GC_PR_FGD


def _without_thin(mask: np.ndarray) -> np.ndarray:
    radius = max(1, round(THIN * max(mask.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc), cv2.MORPH_CLOSE, disc)


def _second(mask: np.ndarray) -> float:
    """The area of the second component over that of the greatest."""
    areas = np.sort(cv2.connectedComponentsWithStats(mask)[2][1:, cv2.CC_STAT_AREA])
    return float(areas[-2] / areas[-1]) if len(areas) > 1 else 0


def _garment(mask: np.ndarray) -> np.ndarray:
    """The greatest component, the nearer to the middle the better, without small holes."""
    count, labels, boxes, centres = cv2.connectedComponentsWithStats(mask)
    if count == 1:
        return mask
    distances = np.linalg.norm(centres[1:] / mask.shape[::-1] - 0.5, axis=1)
    areas = boxes[1:, cv2.CC_STAT_AREA]
    mask = (labels == 1 + np.argmax(areas * np.exp(-2 * distances))).astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    labels = labels.astype(np.intp)
    is_hole = boxes[:, cv2.CC_STAT_AREA] < HOLE * np.count_nonzero(mask)
    return mask | ((labels > 0) & is_hole[labels]).astype(np.uint8)


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union."""
    return float(np.count_nonzero(a & b) / max(1, np.count_nonzero(a | b)))


def _cut(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return image[top : top + height, left : left + width]


def _notch(mask: np.ndarray) -> float:
    """The depth, over the height, of the gap between two halves that is open both above and below."""
    cut = _cut(mask, mask)
    return min(_gap(cut), _gap(cut[::-1]))


def _gap(mask: np.ndarray) -> float:
    """How much lower the top is around the middle than in the middle of both halves, over the height."""
    height, width = mask.shape
    top = np.where(mask.any(axis=0), mask.argmax(axis=0), height)
    left, right = top[width // 4], top[-1 - width // 4]
    return float(top[2 * width // 5 : 3 * width // 5 + 1].max() - max(left, right)) / height


def _outline(mask: np.ndarray) -> tuple[tuple[int, int], ...]:
    contours = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    longest = max(contours, key=cv2.contourArea)
    return tuple((int(x), int(y)) for x, y in cv2.approxPolyDP(longest, 1, closed=True)[:, 0])


def _product_photo(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The garment as a product photograph, H x W uint8: negated luminance on black, narrower, with a margin."""
    negative = 255 - cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    levels = np.clip(negative + TONE - np.median(negative[mask]), DARKEST, 255)
    cut = _cut(np.where(mask, levels, 0), mask).astype(np.uint8)
    height, width = cut.shape
    is_shoe = width > height * (WIDEST if symmetry(mask) >= MIRRORED_WIDE else WIDE)
    if not is_shoe and width > SLIM * height:
        cut = cv2.resize(cut, (round((width + SLIM * height) / 2), height), interpolation=cv2.INTER_AREA)
    margin = max(cut.shape) // 10
    return cv2.copyMakeBorder(cut, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
