"""The depth study: the networks of the paper, and an interrupted study."""

import copy
import json
import signal
import time

import pytest
import torch

from tests.conftest import ROOT
from tests.small_training import Training, small_study
from training import depth_study, loop, study
from training.data import LabelledImages
from training.deep_net import DeepNet, gradient_norms
from training.init import initialise


def run(out):
    return Training("--epochs=1", "--device=cpu", f"--out={out}", command=small_study)


def without_timings(path):
    found = json.loads(path.read_text())
    for one in found["runs"]:
        for row in one["history"]:
            row["images_per_second"] = row["seconds"] = None
    return found


@pytest.mark.parametrize("depth", [20, 56])
def test_layers_are_those_of_the_paper(depth):
    model = DeepNet(depth, shortcuts=True, norm=True)
    layers = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) == depth
    # He et al. 2016, table 6: 0.27 and 0.85 million, for three channels in
    assert sum(p.numel() for p in model.parameters()) == pytest.approx({20: 0.27e6, 56: 0.85e6}[depth], rel=0.02)
    plain = DeepNet(depth, shortcuts=False, norm=True)
    assert [p.shape for p in plain.parameters()] == [p.shape for p in model.parameters()]


def test_shapes_halve_twice():
    shapes = []
    model = DeepNet(8, shortcuts=True, norm=False)
    for block in model.blocks:
        block.register_forward_hook(lambda module, inputs, output: shapes.append(tuple(output.shape[1:])))
    assert model(torch.rand(2, 1, 28, 28)).shape == (2, 10)
    assert shapes == [(16, 28, 28), (32, 14, 14), (64, 7, 7)]
    with pytest.raises(ValueError, match=r"6n \+ 2"):
        DeepNet(21, shortcuts=True, norm=False)


def test_shortcuts_start_as_the_identity_without_batch_normalisation():
    model = DeepNet(56, shortcuts=True, norm=False)
    initialise(model, "he")
    x = torch.rand(2, 16, 28, 28)
    assert torch.equal(model.blocks[:9](x), x)
    assert model(torch.rand(2, 1, 28, 28)).abs().max() < 100


def test_gradient_norms_are_by_layer():
    torch.manual_seed(0)
    model, x, labels = DeepNet(8, True, False), torch.rand(4, 1, 28, 28), torch.arange(4)
    norms = gradient_norms(model, x, labels)
    torch.nn.functional.cross_entropy(model(x), labels).backward()
    assert len(norms) == 8
    assert norms[0] == pytest.approx(model.conv.weight.grad.norm().item(), rel=1e-5)
    assert norms[-1] == pytest.approx(model.output.weight.grad.norm().item(), rel=1e-5)


def test_a_killed_study_resumes_to_the_same_result(tmp_path, data_dir):
    uninterrupted = run(tmp_path / "a")
    (output,) = uninterrupted.communicate(timeout=120)
    assert uninterrupted.returncode == 0 and output.count("| 8 |") == 2
    path = tmp_path / "b" / study.FILE
    process = run(tmp_path / "b")
    while process.poll() is None and not path.exists():
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert len(json.loads(path.read_text())["runs"]) == 1, "it was over before it was killed"
    process = run(tmp_path / "b")
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert without_timings(path) == without_timings(tmp_path / "a" / study.FILE)
    assert not list(path.parent.glob(".training/*.safetensors"))


def test_a_network_that_diverges_is_recorded_and_the_next_is_trained(tmp_path, monkeypatch):
    examples = LabelledImages(torch.zeros(8, 28, 28, dtype=torch.uint8), torch.arange(8))
    monkeypatch.setattr(study, "split", lambda *args: (examples, examples))
    monkeypatch.setattr(study, "NETWORKS", ((8, False, False), (8, True, True)))
    losses = iter([float("nan"), 2.0])
    monkeypatch.setattr(loop, "objective", lambda logits, *_: next(losses) * logits.sum().exp() ** 0)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    depth_study.main(["--epochs=1", "--device=cpu", f"--out={tmp_path}"])
    path = tmp_path / study.FILE
    first, second = json.loads(path.read_text())["runs"]
    assert first["diverged"] and first["history"] == [] and len(first["gradients"]["start"]) == 8
    assert "diverged" not in second and len(second["history"]) == 1
    assert "| 8 | no | no | diverged in epoch 1: – | – | – |" in study.table([first, second])


def test_another_study_is_not_overwritten(tmp_path):
    path = tmp_path / study.FILE
    path.write_text('{"dataset": "mnist", "runs": []}')
    with pytest.raises(study.TrainingError, match=r"dataset mnist instead of fashion_mnist; .*--restart"):
        study.read(path, {"dataset": "fashion_mnist"})


STUDY = json.loads((ROOT / "weights" / study.FILE).read_text())
FACTS = {key: STUDY[key] for key in ("dataset", "recipe", "torch")}


def changed(change):
    found = copy.deepcopy(STUDY)
    change(found)
    return json.dumps(found)


@pytest.mark.parametrize("content", [
    "", "{", "[]", changed(lambda found: found.pop("runs")), changed(lambda found: found.update(runs={})),
    changed(lambda found: found["runs"].append(found["runs"][0])), changed(lambda found: found["runs"].reverse()),
    changed(lambda found: found["runs"][0]["history"].pop()),
    changed(lambda found: found["runs"][0]["history"][0].update(val_loss=float("nan"))),
    changed(lambda found: found["runs"][0].pop("gradients")),
    changed(lambda found: found["runs"][0]["gradients"]["end"].append("1")),
])  # fmt: skip
def test_a_damaged_study_is_named_and_kept(content, tmp_path):
    path = tmp_path / study.FILE
    path.write_text(content)
    with pytest.raises(study.TrainingError, match=rf"{path} is damaged .*; restore it, or replace it"):
        study.read(path, FACTS)
    assert path.read_text() == content


def test_the_bundled_study_is_whole():
    assert study.read(ROOT / "weights" / study.FILE, FACTS) == STUDY["runs"]
