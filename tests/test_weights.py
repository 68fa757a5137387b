"""The bundled checkpoints: their cards are checked by measuring again."""

from pathlib import Path

import pytest

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.checkpoint import load_model, read_history
from cnn_models.hub import default_weights_dir
from cnn_models.runtime import place
from training.data import load
from training.evaluate import measure
from training.model_card import model_card

WEIGHTS_DIR = default_weights_dir()
IDS = sorted(path.name for path in WEIGHTS_DIR.iterdir() if path.is_dir() and not path.name.startswith("."))


def test_nothing_in_weights_is_refused():
    hub = ModelHub(WEIGHTS_DIR)
    assert sorted(hub.cards()) == IDS
    assert {f"{a}.{d}" for a in ("lenet5", "mini_inception", "mini_resnet") for d in DATASETS} <= set(IDS)


@pytest.mark.parametrize("id", IDS)
def test_a_card_says_what_is_measured(id, data_dir):
    model, card = load_model(WEIGHTS_DIR / id)
    if card.input_size > 64:
        pytest.skip("too slow here: `python -m training.evaluate --all` measures it")
    pictures = load(card.dataset, train=False)
    found = measure(place(model, "cpu"), pictures, card.input_size, card.mean, card.std)
    assert found["accuracy"] == pytest.approx(card.metrics["test_accuracy"], abs=0.02)
    assert found["loss"] == pytest.approx(card.metrics["test_loss"], rel=0.01)


@pytest.mark.parametrize("id", IDS)
def test_card_history_and_model_card_agree(id):
    folder: Path = WEIGHTS_DIR / id
    _, card = load_model(folder)
    last = read_history(folder)[-1]
    assert card.id == id and card.metrics["val_accuracy"] == last["val_accuracy"]
    assert last["epoch"] == card.recipe["epochs"]
    assert card.input_size in ARCHITECTURES[card.architecture].sizes
    assert not card.commit.endswith("dirty") and len(card.commit) == 40
    assert (folder / "README.md").read_text(encoding="utf-8") == model_card(card)
