"""`python -m training.similarity`: linear probes, which pairs are measured, and when."""

import json
from dataclasses import replace

import pytest
import torch

from cnn_models.analysis import similarity_results as results
from cnn_models.analysis.similarity import compared_layers
from cnn_models.analysis.similarity_results import SIMILARITY, current_similarities, read_similarities
from cnn_models.checkpoints.folder import WEIGHTS, load_model, read_history, write_checkpoint
from training import representations
from training.data import LabelledImages
from training.probes import COMPONENTS, MOST, Examples, pooled, probe_accuracy
from training.similarity import main

LENET, RESNET, SEED = "lenet5.mnist", "mini_resnet.mnist", "runs/best.1/lenet5.mnist"


def clusters(count: int, apart: float) -> Examples:
    """Ten clusters of std 1 in 30 dimensions, with centres `apart` from 0."""
    labels = torch.arange(count) % 10
    centres = torch.zeros(10, 30).fill_diagonal_(apart)
    return Examples(centres[labels] + torch.randn(count, 30), labels)


@pytest.mark.parametrize(("apart", "low", "high"), [(30, 100, 100), (0, 0, 20)])
def test_a_probe_finds_classes_where_a_plane_separates_them_and_nowhere_else(apart, low, high):
    torch.manual_seed(0)
    train, validation, test = (clusters(count, apart) for count in (500, 100, 200))
    assert low <= probe_accuracy(train, validation, test) <= high


def test_a_probe_needs_neither_a_scale_nor_live_channels():
    torch.manual_seed(0)
    parts = [clusters(count, 3) for count in (500, 100, 200)]
    scaled = [Examples(torch.cat([1000 * x + 5, torch.ones(len(x), 4)], 1), y) for x, y in parts]
    assert probe_accuracy(*scaled) == pytest.approx(probe_accuracy(*parts), abs=1)


def test_feature_maps_are_averaged_to_a_bounded_number():
    for channels, side in ((1, 28), (6, 14), (96, 26), (3000, 3)):
        maps = torch.rand(2, channels, side, side)
        vectors = pooled(maps)
        assert vectors.shape[1] <= max(MOST, channels) and vectors.shape[1] >= min(channels * side**2, COMPONENTS)
        assert vectors.mean() == pytest.approx(maps.mean().item(), abs=0.02)
    assert torch.equal(pooled(maps[:, :, 0, 0]), maps[:, :, 0, 0])


@pytest.fixture
def weights(checkpoint, tmp_path, monkeypatch):
    """A folder with two untrained networks and another seed of the first; the images are noise."""
    noise = LabelledImages(torch.randint(0, 256, (40, 28, 28), dtype=torch.uint8), torch.arange(40) % 10)
    monkeypatch.setattr(representations, "split", lambda *_: (noise, noise))
    monkeypatch.setattr(representations, "load", lambda *_, **__: noise)
    monkeypatch.setattr(representations, "BATCH", 20)
    for id in (LENET, RESNET):
        checkpoint(id)
    write_seed(checkpoint(LENET, tmp_path / "weights" / "runs" / "best.1"))
    return tmp_path / "weights"


def write_seed(folder):
    (model, card), history = load_model(folder), read_history(folder)
    write_checkpoint(folder, model.state_dict(), replace(card, seed=1), history, "")


def test_pairs_and_seeds_are_measured_once(weights, checkpoint, monkeypatch, capsys):
    loaded = []
    monkeypatch.setattr(representations, "load_model", lambda path: loaded.append(path.name) or load_model(path))
    main(["--weights", str(weights)])
    found = read_similarities(weights)["mnist"]
    assert found.cka.keys() == {(LENET, LENET), (LENET, RESNET), (RESNET, RESNET), (LENET, SEED)}
    assert found.probes.keys() == {LENET, RESNET} and found.weights.keys() == {LENET, RESNET, SEED}
    for name in (LENET, RESNET):
        matrix = found.pair(name, name)
        assert all(row[index] == pytest.approx(1, abs=1e-3) for index, row in enumerate(matrix))
        assert matrix == [list(column) for column in zip(*matrix, strict=True)]
    assert found.pair(RESNET, LENET) == [list(column) for column in zip(*found.pair(LENET, RESNET), strict=True)]
    printed = capsys.readouterr().out
    assert "| MNIST | LeNet-5 and LeNet-5 (best.1) | " in printed and "| MNIST | Mini ResNet | pixels " in printed

    assert len(loaded) == 3
    main(["--weights", str(weights)])
    assert len(loaded) == 3 and current_similarities(weights)["mnist"] == found
    checkpoint(RESNET)  # other weights
    assert current_similarities(weights)["mnist"].cka.keys() == {(LENET, LENET), (LENET, SEED)}
    main(["--weights", str(weights)])
    assert sorted(loaded[3:]) == [LENET, RESNET]  # not the seed
    assert current_similarities(weights)["mnist"].cka.keys() == found.cka.keys()


def test_what_is_finished_is_kept_when_it_is_stopped(weights, monkeypatch):
    def stop(path):
        if path.name == RESNET:
            raise KeyboardInterrupt
        return load_model(path)

    with monkeypatch.context() as patched:
        patched.setattr(representations, "load_model", stop)
        with pytest.raises(KeyboardInterrupt):
            main(["--weights", str(weights)])
    assert read_similarities(weights)["mnist"].cka.keys() == {(LENET, LENET), (LENET, SEED)}
    (weights / SEED / WEIGHTS).unlink()  # a clone without the weights of the run keeps what was measured
    main(["--weights", str(weights)])
    assert (LENET, SEED) in current_similarities(weights)["mnist"].cka


@pytest.mark.parametrize("change", [
    "{", "[]", '{"mnist": {}}', '{"cifar": {}}', lambda found: found["weights"].clear(),
    lambda found: found["weights"].update({LENET: 5}), lambda found: found["cka"][0][2].pop(),
    lambda found: found["cka"][0][2][0].__setitem__(0, 1.5), lambda found: found["cka"][0][2][0].__setitem__(0, "1"),
    lambda found: found["probes"][LENET].append(50), lambda found: found["probes"][LENET].__setitem__(0, 101),
])  # fmt: skip
def test_a_damaged_file_is_named_and_kept(change, checkpoint):
    path, count = checkpoint(LENET).parent / SIMILARITY, len(compared_layers("lenet5"))
    if not isinstance(change, str):
        matrix = [[0.5] * count for _ in range(count)]
        found = {"weights": {LENET: "a"}, "cka": [[LENET, LENET, matrix]], "probes": {LENET: [90] * (count + 1)}}
        change(found)
        change = json.dumps({"mnist": found})
    path.write_text(change)
    with pytest.raises(SystemExit, match=rf"error: {path} is not the similarities .* `python -m training.similarity`"):
        main(["--weights", str(path.parent)])
    assert path.read_text() == change


def test_the_closest_layers_are_hidden_ones():
    matrix = [[0.2, 0.9, 0.1], [0.4, 0.3, 0.2], [0.1, 0.2, 1.0]]
    assert results.closest(matrix) == (0, 1, 0.9)
    assert results.mean_best(matrix) == pytest.approx((0.9 + 0.4 + 0.4 + 0.9) / 4)
