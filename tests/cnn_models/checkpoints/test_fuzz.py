"""Files of a checkpoint folder as anybody may write them: read as what they should be, or refused with a sentence."""

import contextlib
import dataclasses
import json
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_models import Card
from cnn_models.checkpoints.evaluation import BINS, Evaluation
from cnn_models.checkpoints.folder import (
    CONFIG,
    EVALUATION,
    HISTORY,
    HISTORY_COLUMNS,
    CheckpointError,
    read_card,
    read_evaluation,
    read_history,
)
from cnn_models.checkpoints.runs import Run
from cnn_models.folders import default_weights_dir
from cnn_models.specs import TYPES
from tests.conftest import make_card, make_evaluation
from tests.strategies import documents, numbers, plain, texts
from ui.common.recipe import recipe_words
from ui.training.results import final_figures, interval_of

HASH = "0" * 64
VALID = dataclasses.asdict(dataclasses.replace(make_card(), weights_sha256=HASH))
ROW = dict.fromkeys(HISTORY_COLUMNS, 1.0)

# Such that the types are right more often than by chance.
metrics = st.dictionaries(st.sampled_from(["test_accuracy", "val_loss", "test_ece"]) | texts, documents, max_size=4)
recipes = st.dictionaries(
    st.sampled_from(["name", "epochs", "held_out", "changed", "teachers", "started_from", "lr", "scale"]),
    documents,
    max_size=8,
)


def write(folder: Path, values: object) -> None:
    (folder / CONFIG).write_text(json.dumps(values), encoding="utf-8")


def use(card: Card) -> None:
    """What the page and the API make of a card that was read."""
    assert Card.from_json(card.to_json()) == card
    orjson.dumps(dataclasses.asdict(card))  # as gradio sends it
    run = Run(card.id, str(card.recipe.get("name")), card.seed, [ROW], card, changes=card.recipe.get("changed", {}))
    (recipe_words(card.recipe) + final_figures([[run]]) + run.group + card.command).encode()
    if (accuracy := card.on_test_set("accuracy")) is not None:
        interval_of(accuracy)


def check(folder: Path) -> None:
    try:
        card = read_card(folder)
    except CheckpointError as error:
        str(error).encode()
    else:
        use(card)


def test_the_table_has_every_field_and_the_cards_there_are_pass():
    assert list(TYPES) and TYPES.keys() == {field.name for field in dataclasses.fields(Card)}
    folders = [path.parent for path in default_weights_dir().rglob(CONFIG)]
    assert folders
    for folder in folders:
        use(read_card(folder))


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=25)
@given(data=st.data())
def test_a_card_with_any_json_in_a_field(name, data, tmp_path):
    likely = {"metrics": metrics, "recipe": recipes}.get(name, st.nothing())
    write(tmp_path, VALID | {name: data.draw(likely | documents)})
    check(tmp_path)


@given(values=documents | st.dictionaries(st.sampled_from(list(TYPES)), documents, min_size=len(TYPES) - 3))
def test_any_json_for_a_card(values, tmp_path):
    write(tmp_path, values)
    check(tmp_path)


any_card = st.fixed_dictionaries({}, optional=dict.fromkeys(TYPES, documents)).map(lambda fields: VALID | fields)


@given(text=st.text() | (documents | any_card).map(json.dumps))
def test_any_text_is_a_card_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        card = Card.from_json(text)
        assert Card.from_json(card.to_json()) == card


@given(content=st.binary(max_size=200))
@pytest.mark.parametrize("name", [CONFIG, EVALUATION, HISTORY])
def test_any_bytes(name, content, tmp_path):
    write(tmp_path, VALID)
    (tmp_path / name).write_bytes(content)
    for read in (read_card, read_evaluation, read_history):
        try:
            read(tmp_path)
        except CheckpointError as error:
            str(error).encode()


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Evaluation)])
@given(data=st.data())
def test_an_evaluation_with_any_json_in_a_field(name, data, tmp_path):
    bins = st.lists(st.tuples(plain, plain, plain), min_size=BINS, max_size=BINS)
    rows = st.lists(st.lists(numbers, min_size=10, max_size=10) | documents, min_size=10, max_size=10)
    likely = {"reliability": st.tuples(bins, bins)}.get(name, rows)
    values = json.loads(make_evaluation(HASH).to_json()) | {name: data.draw(likely | documents)}
    write(tmp_path, VALID)
    (tmp_path / EVALUATION).write_text(json.dumps(values), encoding="utf-8")
    try:
        found = read_evaluation(tmp_path)
    except CheckpointError as error:
        str(error).encode()
    else:
        assert 0 <= found.accuracy <= 100 and len(found.accuracies) == 10
        assert all(number < 20 for row in found.wrong for number in row)
        found.to_json().encode()


@given(cells=st.lists(texts | numbers.map(str), min_size=len(HISTORY_COLUMNS), max_size=len(HISTORY_COLUMNS)))
def test_a_history_of_anything(cells, tmp_path):
    text = "\n".join([",".join(HISTORY_COLUMNS), ",".join(cells)])
    (tmp_path / HISTORY).write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        orjson.dumps(read_history(tmp_path))
    except CheckpointError as error:
        str(error).encode()
