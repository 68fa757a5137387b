"""ONNX files: they answer as torch does, run without this project, and are not left where they do not agree."""

import errno
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from cnn_models.checkpoints.folder import WEIGHTS, load_model
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.network import Network
from cnn_models.specs import Card
from tests.conftest import ROOT
from tests.test_weights import IDS, SMALL, WEIGHTS_DIR
from training import exporter, lock
from training.export import main
from training.exporter import TOLERANCE, Exported, ExportError, to_onnx
from training.model_card import model_card

ID = "lenet5.mnist"
FEW = 4  # images for the large networks
# One of each network, of either data set, as an export takes up to 20 seconds.
EXPORTED = [id for id in IDS if id.endswith(".fashion_mnist" if id.startswith("mini_") else ".mnist")]


@cache
def exported(id: str) -> Exported:
    """The ONNX file of a bundled checkpoint, compared with torch on a few images."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(exporter, "COMPARED", FEW)
        return to_onnx(*load_model(WEIGHTS_DIR / id))


@pytest.fixture
def without_work(monkeypatch):
    """A command that begins its work fails the test."""
    monkeypatch.setattr(exporter, "to_onnx", lambda *_: pytest.fail("the work began"))


@pytest.mark.parametrize("id", EXPORTED)
def test_the_file_answers_as_the_network_does_and_has_its_card_and_size(id):
    model, card = load_model(WEIGHTS_DIR / id)
    content = exported(id).content
    session = onnxruntime.InferenceSession(content)
    images = load_test_set(card.dataset)[0][: None if id in SMALL else FEW].copy()
    expected = Network(model, card, torch.device("cpu")).run(torch.from_numpy(images))
    logits, probabilities = session.run(["logits", "probabilities"], {"image": images})
    assert probabilities.shape == (len(images), 10) and probabilities.dtype == np.float32
    assert np.abs(probabilities - expected.probabilities.numpy()).max() <= TOLERANCE
    assert np.abs(logits - expected.logits.numpy()).max() <= 5e-4
    (one,) = session.run(["probabilities"], {"image": images[:1]})
    assert np.abs(one - probabilities[:1]).max() <= TOLERANCE
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata.keys() == {"card"} and Card.from_json(metadata["card"]) == card
    assert str(ROOT).encode() not in content and b"stack_trace" not in content
    assert len(content) == pytest.approx((WEIGHTS_DIR / id / WEIGHTS).stat().st_size, rel=0.1)


def test_a_file_that_answers_with_nan_is_not_kept():
    model, card = load_model(WEIGHTS_DIR / ID)
    next(model.parameters()).data.fill_(torch.nan)
    with pytest.raises(ExportError, match="differs from torch's by nan"):
        to_onnx(model, card)


def test_floats_are_refused():
    session = onnxruntime.InferenceSession(exported(ID).content)
    with pytest.raises(Exception, match="expected: \\(tensor\\(uint8\\)\\)"):
        session.run(None, {"image": np.zeros((1, 28, 28), np.float32)})


def test_the_code_on_a_model_card_works_without_this_project(tmp_path, monkeypatch, capsys):
    main([ID, "--out", str(tmp_path)])
    sizes = rf"{ID}.onnx: 0.2\d MB\n1,000 test images: probabilities differ .* at most \d.\de-0[6-9], logits by \d.\de"
    assert re.search(sizes, capsys.readouterr().out)
    sample = (ROOT / "ui" / "common" / "samples" / "mnist.7.png").read_bytes()
    (tmp_path / "image.png").write_bytes(sample)
    text = model_card(load_model(WEIGHTS_DIR / ID)[1], owner="someone", onnx=True)
    (code,) = re.findall(r"```python\n(import numpy.*?)```", text, re.DOTALL)
    assert code in (ROOT / "training" / "README.md").read_text(encoding="utf-8")
    without = "import sys; sys.modules['cnn_models'] = sys.modules['torch'] = None\n"
    command = [sys.executable, "-I", "-c", without + code]
    output = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert np.argmax([float(each) for each in re.findall(r"\d[\d.e+-]*", output)]) == 7


def test_a_file_that_differs_from_torch_is_not_left(tmp_path, monkeypatch):
    monkeypatch.setattr(exporter, "COMPARED", FEW)
    monkeypatch.setattr(exporter, "TOLERANCE", -1.0)
    with pytest.raises(SystemExit, match=rf"the ONNX file of {ID} was not kept, as a probability differs from torch's"):
        main([ID, "--out", str(tmp_path)])
    assert not list(tmp_path.iterdir())


def test_an_operation_without_an_equivalent_gets_a_sentence():
    model, card = load_model(WEIGHTS_DIR / ID)
    model.forward = lambda x: torch.special.bessel_j0(x).mean((1, 2))[:, :10]
    with pytest.raises(ExportError, match=rf"^torch \S+ cannot write {ID} as ONNX: No ONNX function.*bessel"):
        to_onnx(model, card)


def test_missing_packages_are_found_before_the_work(without_work, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(SystemExit, match=r"not installed; run `pip install onnxruntime onnxscript`$"):
        main([ID])


def test_a_checkpoint_that_is_unknown_or_missing_gets_a_sentence(without_work, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["vgg.mnist"])
    assert "unknown checkpoint 'vgg.mnist'; known are lenet5.mnist, " in capsys.readouterr().err
    with pytest.raises(SystemExit, match=rf"no weights for {ID} in .*; run `python -m training.train {ID}`"):
        main([ID, "--weights", str(tmp_path)])


def test_a_folder_that_cannot_be_written_to_is_found_before_the_work(without_work, tmp_path, monkeypatch):
    def refused(dir, **_):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(lock, "NamedTemporaryFile", refused)
    with pytest.raises(SystemExit, match=r"cannot be written to \(Permission denied\); get write permission for it"):
        main([ID, "--out", str(tmp_path)])


def test_a_full_disk_is_reported_and_the_file_before_stays(tmp_path, monkeypatch):
    def full(path: Path, content: bytes) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / f"{ID}.onnx").write_bytes(b"before")
    monkeypatch.setattr(exporter, "to_onnx", lambda *_: exported(ID))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(SystemExit, match=rf"{ID}.onnx was not written and is as it was before: the disk is full"):
            main([ID, "--out", str(tmp_path)])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]
    main([ID, "--out", str(tmp_path)])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [exported(ID).content]
