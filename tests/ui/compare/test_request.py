"""Requests of the Compare tab: missing fields get their defaults, invalid ones are refused by name."""

from __future__ import annotations

import base64
import dataclasses
import math
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.analysis.adversarial import NORMS
from cnn_models.errors import Refused
from cnn_models.images.preprocess import SWITCHES
from cnn_models.predict import MAX_THIRD_PARTY
from tests.strategies import documents, texts
from ui.common.sketchpad import PNG, sample
from ui.common.texts import LANGUAGES
from ui.compare.history import export_handwriting
from ui.compare.request import MOST_DIGITS, PARTS, SORTS, Request

INVALID = (math.nan, math.inf, -1, 10**30, 0.5, "x", [[]], {}, "7" * 10**6, ["x"], [5], ["lenet5"] * 10**6)
THIRD_PARTY = [f"user{number}/lenet5.mnist@{number:040x}" for number in range(MAX_THIRD_PARTY + 1)]
CHOICES = {
    "dataset": [*DATASETS], "models": [[*ARCHITECTURES], THIRD_PARTY, ["lenet5", "lenet5"]], "language": [*LANGUAGES],
    "calibrated": [False], "sort": SORTS, "off": [[*SWITCHES]], "quick": [True], "drawing": [True],
    "log_linear": [True], "label": ["7", "Bag"], "part": PARTS, "image": [""], "digit": [1, 1e9], "turn": [1, 2.0, 4],
    "attacked": [*ARCHITECTURES, *THIRD_PARTY], "norm": [*NORMS], "target": ["7", "Bag"],
}  # fmt: skip
FIELDS = {name: st.sampled_from(values) | documents for name, values in CHOICES.items()}
SEVEN = PNG + base64.b64encode(sample("mnist", 7).read_bytes()).decode()


@given(sent=st.fixed_dictionaries({}, optional=FIELDS) | documents)
@example({"models": THIRD_PARTY})
def test_any_json_is_a_request_within_its_bounds_or_refused_by_name(sent):
    try:
        request = Request.read(sent)
    except Refused as error:
        assert re.match(f"(request|{'|'.join(CHOICES)}): ", str(error))  # noqa: PT017  it may be read or not
        return
    assert (
        request.dataset in DATASETS
        and request.language in LANGUAGES
        and request.sort in SORTS
        and request.part in ("", *PARTS)
    )
    assert request.digit in range(MOST_DIGITS + 1) and request.turn in range(4)
    assert {request.label, request.target} <= {"", *DATASETS[request.dataset].classes}
    assert set(request.off) <= set(SWITCHES) and request.norm in NORMS and request.attacked in ("", *request.models)
    flags = (request.calibrated, request.log_linear, request.quick, request.drawing)
    assert {type(each) for each in flags} == {bool}
    third_party = [model for model in request.models if model not in ARCHITECTURES]
    assert (
        len(third_party) <= MAX_THIRD_PARTY
        and set(third_party) <= set(THIRD_PARTY)
        and len(set(request.models)) == len(request.models)
    )
    again = dataclasses.asdict(request) | {"models": list(request.models), "off": list(request.off)}
    assert repr(Request.read(again)) == repr(request)  # NaN, in an image, is not equal to itself


@pytest.mark.parametrize("name", sorted(CHOICES.keys() - {"image"}))
def test_an_invalid_field_is_refused_by_its_name_at_once(name):
    for value in INVALID:
        if not (value == 0.5 and name in ("digit", "turn")):
            start = time.perf_counter()
            with pytest.raises(Refused, match=f"^{name}: "):
                Request.read({name: value})
            assert time.perf_counter() - start < 0.02, value
    assert Request.read({name: None}) == Request.read({}) == Request()
    assert Request.read({"models": ["mini_resnet", "lenet5", "lenet5"]}).models == ("mini_resnet", "lenet5")


@given(
    sent=documents
    | st.lists(
        st.fixed_dictionaries(
            {
                "image": st.sampled_from([SEVEN, SEVEN[:-9], PNG]) | documents,
                "dataset": st.sampled_from([*DATASETS]) | texts,
                "label": st.sampled_from(["7", "Bag"]) | documents,
            }
        ),
        max_size=3,
    )
)
def test_any_json_is_exported_or_refused(sent):
    (kind, content), *more = export_handwriting(sent).items()
    assert not more and kind in ("zip", "error") and isinstance(content, str)
    content.encode()
