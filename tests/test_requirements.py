"""The oldest versions that are allowed have none of the holes that are known."""

import re
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT

HOLES = {  # the last version with one, and its name
    "filelock": ("3.20.2", "CVE-2026-22701"),
    "h11": ("0.15.0", "CVE-2025-43859"),
    "jinja2": ("3.1.5", "CVE-2025-27516"),
    "orjson": ("3.11.5", "CVE-2025-67221"),
    "pillow": ("12.2.0", "as the makers of 12.3 say"),
    "pytest": ("9.0.2", "CVE-2025-71176"),
    "python-multipart": ("0.0.21", "CVE-2026-24486"),
    "tqdm": ("4.66.2", "CVE-2024-34062"),
}
LINES = [
    line
    for file in ("requirements.txt", "tests/requirements.txt")
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines()
    if re.match(r"\w", line)
]
REQUIREMENTS = {each.name: each.specifier for each in map(Requirement, LINES)}


@pytest.mark.parametrize("name", HOLES)
def test_no_version_with_a_known_hole_is_allowed(name):
    assert not REQUIREMENTS[name].contains(HOLES[name][0]), HOLES[name][1]


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_what_is_installed_is_allowed_and_each_has_both_bounds(name):
    assert REQUIREMENTS[name].contains(version(name))
    assert {each.operator for each in REQUIREMENTS[name]} == {">=", "<"}
