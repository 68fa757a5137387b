"""Requests of the Compare tab: what is unknown in them is as if it were not there."""

from __future__ import annotations

import base64
import dataclasses

from hypothesis import example, given
from hypothesis import strategies as st

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.images.preprocess import SWITCHES
from cnn_models.predict import MAX_THIRD_PARTY
from tests.strategies import documents, texts
from ui.common.sketchpad import PNG, sample
from ui.common.texts import LANGUAGES
from ui.compare.ask import PARTS, SORTS, Ask
from ui.compare.keep import export

BROUGHT = [f"user{number}/lenet5.mnist@{number:040x}" for number in range(MAX_THIRD_PARTY + 1)]
CHOICES = {
    "dataset": [*DATASETS], "models": [[*ARCHITECTURES], BROUGHT, ["lenet5", "lenet5"]], "language": [*LANGUAGES],
    "calibrated": [False], "sort": SORTS, "off": [[*SWITCHES]], "quick": [True], "drawing": [True],
    "label": ["7", "Bag"], "part": PARTS, "image": [""],
}  # fmt: skip
FIELDS = {name: st.sampled_from(values) | documents for name, values in CHOICES.items()}
SEVEN = PNG + base64.b64encode(sample("mnist", 7).read_bytes()).decode()


@given(sent=st.fixed_dictionaries({}, optional=FIELDS) | documents)
@example({"models": BROUGHT})
def test_any_json_is_a_request_within_its_bounds(sent):
    ask = Ask.read(sent)
    assert ask.dataset in DATASETS and ask.language in LANGUAGES and ask.sort in SORTS and ask.part in ("", *PARTS)
    assert ask.label in ("", *DATASETS[ask.dataset].classes) and set(ask.off) <= set(SWITCHES)
    assert {type(each) for each in (ask.calibrated, ask.quick, ask.drawing)} == {bool}
    brought = [model for model in ask.models if model not in ARCHITECTURES]
    assert len(brought) <= MAX_THIRD_PARTY and set(brought) <= set(BROUGHT) and len(set(ask.models)) == len(ask.models)
    again = dataclasses.asdict(ask) | {"models": list(ask.models), "off": list(ask.off)}
    assert repr(Ask.read(again)) == repr(ask)  # NaN, in an image, is not equal to itself


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
    (kind, content), *more = export(sent).items()
    assert not more and kind in ("zip", "error") and isinstance(content, str)
    content.encode()
