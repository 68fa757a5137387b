"""How photographs are read by the five networks together: right, warned, silently wrong or refused, by kind.

python -m tests.benchmarks.photos [CASES.csv] [--generated N] [--seed N] [--kind TEXT] [--wrong] [--times]

CASES.csv has the columns file, kind, right (classes, any of which is right, joined by |; none for several digits) and
wanted (also says which warnings are a right answer). --generated makes N photographs of each kind of
`tests.photographs`. --wrong names the images that are not answered as wanted, --times prints the time of each step for
photographs of 12 megapixels.
"""

from __future__ import annotations

import argparse
import cProfile
import csv
import pstats
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch

from cnn_models import ModelHub, compare, images
from cnn_models.analysis.verdict import Reason, Verdict
from cnn_models.errors import ImageError
from tests.photographs import KINDS, Photograph, garment, generate

SEVERAL = "several digits, and reads each: "
COLUMNS = "right, unwarned", "right, warned", "wrong, warned", "silently wrong", "refused"
ANY = "any"  # a wanted warning of any code
LARGE = 4000, 3000  # height and width of a photograph of 12 megapixels
ROUNDS = 5


class Case(NamedTuple):
    """An image and its answer: the classes that are `right`, or several `digits`; `warning` is a code that also is."""

    name: str
    kind: str
    dataset: str
    image: Path | np.ndarray
    right: frozenset[str] = frozenset()
    digits: str = ""
    turn: int = 0
    warning: str = ""


def cases_of(path: Path) -> Iterator[Case]:
    """The cases of a table; those in a folder `clothing` are of Fashion-MNIST, by kind of garment."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            is_clothing = row["file"].startswith("clothing/")
            garment = Path(row["file"]).stem.rsplit("_", 1)[0]
            wanted = row["wanted"]
            digits = wanted.rpartition(SEVERAL)[2] if SEVERAL in wanted else ""
            yield Case(
                name=row["file"],
                kind=f"photo of a garment: {garment}" if is_clothing else row["kind"],
                dataset="fashion_mnist" if is_clothing else "mnist",
                image=path.parent / row["file"],
                right=frozenset() if digits else frozenset(row["right"].split("|")),
                digits=digits,
                warning="several" if digits else "turned" if "turn" in wanted else ANY if "warning" in wanted else "",
            )


def generated(count: int, seed: int, part: str = "") -> Iterator[Case]:
    """So many cases of each kind of `tests.photographs` whose name contains this part."""
    for kind in (name for name in KINDS if part in name):
        for number, photograph in enumerate(generate(kind, count, seed=seed)):
            yield _case(f"{kind} {number}", kind, photograph)


def _case(name: str, kind: str, photograph: Photograph) -> Case:
    case = Case(name, kind, "mnist", photograph.pixels, turn=photograph.turn)
    if " " in photograph.right:
        return case._replace(digits=photograph.right, warning="several")
    warning = "turned" if photograph.turn else ANY if kind == "looped 9" else ""
    return case._replace(right=frozenset([photograph.right]), warning=warning)


def outcome(verdict: Verdict | None, case: Case) -> tuple[str, bool]:
    """One of COLUMNS, and whether it is what is wanted; a verdict of None is a refusal."""
    if verdict is None:
        return "refused", False
    is_right, warning = verdict.label in case.right, verdict.warning
    if warning is None:
        return ("right, unwarned" if is_right else "silently wrong"), is_right
    is_answer = _is_answer(warning, case)
    return ("right, warned" if is_right or is_answer else "wrong, warned"), is_answer or case.warning == ANY


def _is_answer(warning: Reason, case: Case) -> bool:
    """Whether a warning gives the right answer: all digits, or the turn and what the digit is then."""
    if warning.code != case.warning:
        return False
    if warning.code == "several":
        return warning.values["digits"] == case.digits
    return warning.values["label"] in case.right and case.turn in (0, warning.values["degrees"])


def verdict_of(case: Case, hub: ModelHub) -> Verdict | None:
    """The verdict of all networks, or None where the image is refused."""
    try:
        return compare(case.image, case.dataset, hub=hub).verdict
    except ImageError:
        return None


def table(cases: Iterable[Case], shows_wrong: bool) -> None:
    """Prints the outcomes by kind, in the order of the cases, and the codes of the warnings."""
    hub, outcomes, codes = ModelHub(), defaultdict(Counter), defaultdict(Counter)
    for case in cases:
        verdict = verdict_of(case, hub)
        column, is_wanted = outcome(verdict, case)
        outcomes[case.kind].update([column] + ["as wanted"] * is_wanted)
        if verdict and verdict.warning:
            codes[case.kind][verdict.warning.code] += 1
        if shows_wrong and not is_wanted:
            answer = f"{verdict.label} {verdict.warning or ''}" if verdict else ""
            print(f"{case.name}: {case.digits or '|'.join(sorted(case.right))}, {column} {answer}")
    print(f"| kind | n | as wanted | {' | '.join(COLUMNS)} | warnings |")
    print("|---|" + "---:|" * (2 + len(COLUMNS)) + "---|")
    for kind, found in [*outcomes.items(), ("all", sum(outcomes.values(), Counter()))]:
        counts = [found[column] for column in COLUMNS]
        warnings = ", ".join(f"{code} {count}" for code, count in codes[kind].most_common())
        print(f"| {kind} | {' | '.join(map(str, [sum(counts), found['as wanted'], *counts]))} | {warnings} |")


def times() -> None:
    """Prints the milliseconds of the functions of `cnn_models.images` for photographs of 12 megapixels."""
    hub, folder = ModelHub(), str(Path(images.__file__).parent)
    large = {kind: next(generate(kind, 1, LARGE)) for kind in ("shadow, soft edge", "sheet on a desk")}
    large["garment"] = garment(np.random.default_rng(0), LARGE)
    for kind, photograph in large.items():
        content = cv2.imencode(".jpg", photograph.pixels[..., ::-1])[1].tobytes()
        dataset, found = "fashion_mnist" if kind == "garment" else "mnist", defaultdict(list)
        for _ in range(1 + ROUNDS):
            with cProfile.Profile() as profile:
                compare(content, dataset, ["lenet5"], hub)
            for (file, _, name), each in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
                if file.startswith(folder) and name.isidentifier():
                    found[f"{Path(file).stem}.{name}"].append(1000 * each[3])  # with the functions that it calls
        print(f"\n| {kind}, {photograph.right} | ms |\n|---|---:|")
        medians = {name: statistics.median(each[1:] or each) for name, each in found.items()}
        for name, median in sorted(medians.items(), key=lambda each: -each[1]):
            if median >= 1:
                print(f"| {name} | {median:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="?", type=Path, help="table of image files with the right answers")
    parser.add_argument("--generated", type=int, default=0, metavar="N", help="so many generated images of each kind")
    parser.add_argument("--kind", default="", help="only generated kinds whose name contains this")
    parser.add_argument("--seed", type=int, default=0, help="of the generated images")
    parser.add_argument("--wrong", action="store_true", help="name the images that are not answered as wanted")
    parser.add_argument("--times", action="store_true", help="time of each step for photographs of 12 megapixels")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if given.cases:
        table(cases_of(given.cases), given.wrong)
    if given.generated:
        table(generated(given.generated, given.seed, given.kind), given.wrong)
    if given.times:
        times()


if __name__ == "__main__":
    main()
