"""Projections of features, and the command that writes those of all checkpoints in a folder."""

import re

import pytest
import torch

from cnn_models.analysis import projection as module
from cnn_models.analysis.projection import COMPONENTS, neighbours, path_of, read_projection
from cnn_models.checkpoints.folder import read_card
from tests.cnn_models.analysis.test_projection import made
from training import projection as command
from training import projector

IDS = ("lenet5.mnist", "lenet5.fashion_mnist")


@pytest.fixture
def few(monkeypatch):
    """Every 50th test image instead of every fifth, as t-SNE of these takes a tenth of the time."""
    monkeypatch.setattr(module, "COUNT", 200)
    monkeypatch.setattr(projector, "IMAGES", slice(0, None, 50))


@pytest.fixture
def weights(checkpoint, few):
    return checkpoint(IDS[0]).parent


def blobs(count: int = 150) -> tuple[torch.Tensor, torch.Tensor]:
    """Points N x 40 of three classes that are far apart in the first three numbers."""
    labels = torch.arange(count) % 3
    noise = torch.randn(count, 40, generator=torch.Generator().manual_seed(0))
    noise[:, :3] += 100 * torch.eye(3)[labels]
    return noise, labels


def test_classes_that_are_apart_are_so_on_both_maps_and_have_the_best_scores():
    features, labels = blobs()
    found = projector.project(features, labels)
    assert found.scores[:, 0].tolist() == [100, 100, 100] and found.scores[:, 1].amin() > 0.5
    assert found.components @ found.components.T == pytest.approx(torch.eye(COMPONENTS).numpy(), abs=2e-3)
    assert torch.equal(found.place(features), found.places) and found.places.mean(0).abs().amax() < 1e-3
    assert found.variance.sum() < 1 and found.variance[:2].sum() > 0.9
    assert all(map(torch.equal, found, projector.project(features, labels))), "the same features give the same"


def test_agreement_is_the_share_of_the_same_neighbours():
    one, other = torch.tensor([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]), torch.tensor([[4, 3, 2, 1, 0], [5, 0, 1, 2, 3]])
    assert projector.common(one, other) == (5 + 1) / 10


def test_the_command_measures_a_checkpoint_once_and_prints_a_table(weights, monkeypatch, capsys):
    command.main(["--weights", str(weights)])
    printed = capsys.readouterr().out
    found = read_projection(weights, read_card(weights / IDS[0]))
    assert found and found.scores.isfinite().all()
    assert re.search(rf"^\| {IDS[0]} \| {found.scores[0, 0].item():.2f} % \| ", printed, re.MULTILINE)
    near = neighbours(found.places)
    kept = [projector.common(near, neighbours(each)) for each in (found.tsne, found.places[:, :2])]
    assert f"| {kept[0]:.0%} | {kept[1]:.0%} |" in printed and kept[0] > kept[1]
    monkeypatch.setattr(projector, "project", lambda *_: pytest.fail("it was measured again"))
    command.main(["--weights", str(weights)])
    assert capsys.readouterr().out == printed


def test_what_is_finished_is_kept_and_what_is_damaged_is_measured_again(weights, checkpoint, monkeypatch):
    checkpoint(IDS[1])
    first, second = (path_of(weights, id) for id in IDS)

    def project(features, labels):
        if first.exists() and not second.exists():
            raise KeyboardInterrupt
        return made(len(features))

    monkeypatch.setattr(projector, "project", project)
    with pytest.raises(KeyboardInterrupt):
        command.main(["--weights", str(weights)])
    assert read_projection(weights, read_card(weights / IDS[0])) and not second.exists()
    first.write_bytes(b"x")
    second.write_bytes(b"x")
    command.main(["--weights", str(weights)])
    assert all(read_projection(weights, read_card(weights / id)) for id in IDS)


@pytest.mark.parametrize(
    ("missing", "reason"),
    [("sklearn", "run `pip install scikit-learn`"), ("weights", "python -m training.train lenet5.mnist")],
)
def test_what_is_missing_is_said_with_the_remedy(missing, reason, tmp_path, monkeypatch):
    if missing == "sklearn":
        monkeypatch.setattr(projector, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=reason):
        command.main(["--weights", str(tmp_path)])
