"""The interpolation of two networks' weights: its ends, the choice on validation images, and what is written."""

from dataclasses import replace

import pytest
import torch

from cnn_models.checkpoints.folder import load_model, read_card, read_history, write_checkpoint
from cnn_models.network import Network
from training import interpolation
from training.data import load
from training.interpolate import main
from training.interpolation import SHARES, Candidate, best, interpolated
from training.metrics import score
from ui.common.recipe import recipe_words

ID = "lenet5.mnist"


@pytest.fixture
def two(checkpoint, tmp_path):
    """The folders of two networks that differ in their weights."""

    def write(root):
        folder = checkpoint(ID, root)
        (model, card), history = load_model(folder), read_history(folder)
        card = replace(card, recipe={"name": "best", "epochs": 1, "held_out": 5000})
        write_checkpoint(folder, model.state_dict(), card, history, "")
        return folder

    def folders():
        return write(tmp_path / "earlier"), write(tmp_path / "weights")

    return folders


@pytest.fixture
def few(data_dir, monkeypatch):
    """300 validation images and 50 OOD images."""
    monkeypatch.setattr(interpolation, "load", lambda dataset, train: load(dataset, train)[-300:])
    monkeypatch.setattr(interpolation, "OOD_COUNT", 50)


def run(earlier, folder):
    main([ID, "--with", str(earlier), "--weights", str(folder.parent)])


def test_shares_of_zero_and_one_are_the_two_networks():
    earlier, later = ({"weight": torch.randn(3, 4), "count": torch.tensor(n)} for n in (1, 2))
    for share, expected in ((0, earlier), (1, later)):
        found = interpolated(earlier, later, share)
        torch.testing.assert_close(found["weight"], expected["weight"])
        assert found["count"] == 2
    half = interpolated(earlier, later, 0.5)["weight"]
    torch.testing.assert_close(half, (earlier["weight"] + later["weight"]) / 2)


def test_the_most_accurate_that_detects_ood_data_as_well_as_the_earlier_network_is_chosen():
    earlier, inside, equal = (
        Candidate(0, 93, 0.20, 0.97),
        Candidate(0.5, 94, 0.18, 0.98),
        Candidate(0.7, 94, 0.17, 0.97),
    )
    assert best([earlier, inside, equal, Candidate(1, 95, 0.1, 0.96)]) == equal
    assert best([earlier, Candidate(1, 95, 0.1, 0.96)]) == earlier


def choose(monkeypatch, share):
    monkeypatch.setattr(interpolation, "best", lambda all: next(each for each in all if each.share == share))


@pytest.mark.parametrize("share", [0, 1])
def test_where_one_of_the_two_networks_is_the_best_nothing_is_written(two, few, monkeypatch, capsys, share):
    choose(monkeypatch, share)
    earlier, folder = two()
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    run(earlier, folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert f"a share of {share} is the best; {folder} is unchanged" in capsys.readouterr().out


def test_the_fine_tuned_checkpoint_is_kept(two, few, monkeypatch, capsys):
    choose(monkeypatch, 0.3)
    earlier, folder = two()
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    run(earlier, folder)
    kept = folder.parent / ".training" / f"{ID}.fine-tuned"
    assert {file.name: file.read_bytes() for file in kept.iterdir()} == before
    assert f"kept in {kept};" in capsys.readouterr().out


def test_the_checkpoint_is_the_best_candidate_and_its_card_says_so(two, few, monkeypatch, capsys):
    choose(monkeypatch, 0.7)
    earlier, folder = two()
    before, after = (load_model(each)[0].state_dict() for each in (earlier, folder))
    sha256 = read_card(earlier).weights_sha256
    run(earlier, folder)
    model, card = load_model(folder)
    chosen = card.recipe["interpolated"]
    assert chosen["share"] == 0.7 in SHARES and chosen["with"]["weights_sha256"] == sha256
    torch.testing.assert_close(model.state_dict(), interpolated(before, after, chosen["share"]))
    examples = load("mnist", train=True)[-300:]
    logits = Network(model.eval(), card, torch.device("cpu")).run(examples.images).logits
    found = score(logits, examples.labels)
    assert card.metrics == pytest.approx({"val_accuracy": found["accuracy"], "val_loss": found["loss"]}, rel=1e-3)
    assert card.commit == "0" * 40 != chosen["commit"]  # of the training, of the interpolation
    assert f"a share of 0.7 is the best; {folder} is written" in capsys.readouterr().out
    assert "Interpolated: 0.7 of these weights" in recipe_words(card.recipe)
    assert "python -m training.interpolate lenet5.mnist --with FOLDER" in (folder / "README.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"mean": 0.5}, "differ in mean"), ({"recipe": {"held_out": 0}}, "no validation images in common")],
)
def test_networks_that_do_not_fit_are_refused_and_nothing_is_written(two, changes, reason):
    earlier, folder = two()
    before = read_card(folder)
    (model, card), history = load_model(earlier), read_history(earlier)
    write_checkpoint(earlier, model.state_dict(), replace(card, **changes), history, "")
    with pytest.raises(SystemExit, match=reason):
        run(earlier, folder)
    assert read_card(folder) == before


def test_a_folder_without_a_checkpoint_gets_a_sentence(two, tmp_path):
    _, folder = two()
    with pytest.raises(SystemExit, match="error: "):
        run(tmp_path / "none", folder)
