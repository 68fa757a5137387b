"""Attacks on the Training tab: what is measured, whether accuracy goes with robustness, and what is missing."""

import json
import re

import pytest

from cnn_models.analysis.attacks import ATTACKS
from cnn_models.checkpoints.folder import read_card, read_history, read_weights, write_checkpoint
from tests.ui.tables import without_heads
from ui.training.attacks import attacks_html

NAMES = ("lenet5", "mini_inception", "mini_resnet", "googlenet")


def text(html) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def attacked(checkpoint, tmp_path):
    """A function that writes networks of these accuracies, and attacks on them of these median norms."""

    def write(accuracies, sizes):
        found = {}
        ids = [f"{name}.mnist" for name in NAMES[: len(accuracies)]]
        for id, accuracy in zip(ids, accuracies, strict=True):
            folder = checkpoint(id)
            tensors, card = read_weights(folder)
            card.metrics["test_accuracy"] = accuracy
            write_checkpoint(folder, tensors, card, read_history(folder), "")
        hashes = {id: read_card(tmp_path / "weights" / id).weights_sha256 for id in ids}
        for id, size in zip(ids, sizes, strict=True):
            cells = {
                other: {"weights_sha256": sha256, "minimal": "-1111" if other == id else "-1000", "doubled": "-1110"}
                for other, sha256 in hashes.items()
            }
            norms = {"l2": [0, size, size, size, None], "linf": [0, size / 10, size / 10, size / 10, None]}
            found[id] = {"weights_sha256": hashes[id], "norms": norms, "transfer": cells}
        (tmp_path / "weights" / ATTACKS).write_text(json.dumps(found))
        return found

    return write


@pytest.mark.parametrize(("sizes", "sentence"), [
    ((1.0, 1.5, 2.0, 3.0), r"L2: more accurate networks tend to be more robust here, .* 1\.00, p = 0\.083"),
    ((3.0, 2.0, 1.5, 1.0), r"L2: more accurate networks tend to be less robust here, .* -1\.00, p = 0\.083"),
    ((1.0, 3.0, 3.0, 1.0), r"L2: accuracy and robustness have no rank correlation among these 4 networks"),
])  # fmt: skip
def test_the_sentence_is_computed_from_the_measurements(attacked, hub, sizes, sentence):
    attacked((96.0, 97.0, 98.0, 99.0), sizes)
    shown = text(without_heads(attacks_html(hub, "mnist")))
    assert re.search(sentence, shown)
    assert "change 25.0 % of the predictions of the other networks on average, doubled ones 75.0 %" in shown
    assert "of 5 test images of MNIST" in shown
    assert f"4.00 % 4 / 5 {sizes[0]:.3f} {sizes[0] / 10:.4f}" in shown and "Not measured" not in shown


def test_a_quartile_for_which_no_change_was_found_is_infinite(attacked, hub):
    found = attacked((96.0,), (1.0,))
    (entry,) = found.values()
    entry["norms"]["l2"] = [1.0, 2.0, 3.0, None, None]
    (hub.weights_dir / ATTACKS).write_text(json.dumps(found))
    assert "LeNet-5: 3 (2–∞)" in attacks_html(hub, "mnist")


def test_attacks_on_other_weights_are_not_shown(attacked, checkpoint, hub):
    attacked((96.0, 97.0), (1.0, 2.0))
    checkpoint("lenet5.mnist")
    shown = text(attacks_html(hub, "mnist"))
    assert "Not measured with the present weights: LeNet-5. To measure: python -m training.adversarial" in shown
    assert "1.000" not in shown and "2.000" in shown


@pytest.mark.parametrize(("content", "sentence"), [
    (None, "No attacks on networks of MNIST are measured. To measure: python -m training.adversarial"),
    ("{", "is not the attacks on networks"),
])  # fmt: skip
def test_without_measurements_the_section_says_how_to_get_them(checkpoint, hub, content, sentence):
    folder = checkpoint().parent
    if content:
        (folder / ATTACKS).write_text(content)
    shown = text(attacks_html(hub, "mnist").replace("<wbr>", ""))
    assert sentence in shown and "python -m training.adversarial" in shown
