"""The files of the data sets: those of other content are named, and the missing ones downloaded."""

import gzip
import hashlib
import os
import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import torch
from torchvision import datasets

from cnn_models import DATASETS
from cnn_models.datasets.test_sets import load_test_set
from training import data, evaluate

IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def test_no_validation_image_is_trained_on(data_dir):
    whole = data.load("mnist", train=True)
    images, validation = data.split("mnist", 5_000, torch.device("cpu"))
    assert len(validation) == 5_000 and len(images) == 55_000
    assert torch.equal(torch.cat([images.images, validation.images]), whole.images)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_test_images_are_the_bundled_ones(dataset, data_dir):
    found = data.load(dataset, train=False)
    images, labels = load_test_set(dataset)
    assert np.array_equal(found.images.numpy(), images) and np.array_equal(found.labels.numpy(), labels)


@pytest.fixture
def raw(data_dir, tmp_path, monkeypatch):
    """A folder with a copy of the test images of MNIST, without the network."""
    folder = tmp_path / "data" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in (IMAGES, LABELS):
        shutil.copyfile(data_dir / "MNIST" / "raw" / name, folder / name)
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    return folder


def overwrite(path):
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(bytes(min(2**20, path.stat().st_size // 4)))


DAMAGES = {
    "overwritten": overwrite,
    "a captive portal": lambda path: path.write_text("<html>Please log in</html>"),
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: os.truncate(path, path.stat().st_size - 1),
    "too long": lambda path: path.write_bytes(path.read_bytes() + b"0"),
    "of another data set": lambda path: shutil.copyfile(path.parents[2] / "FashionMNIST" / "raw" / path.name, path),
}


@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_kept(damage, name, raw, data_dir):
    (raw.parents[1] / "FashionMNIST").symlink_to(data_dir / "FashionMNIST")
    DAMAGES[damage](raw / name)
    content = (raw / name).read_bytes()
    with pytest.raises(data.DataError, match=f"{raw / name} is damaged, .*; remove it"):
        data.load("mnist", train=False)
    assert (raw / name).read_bytes() == content


def test_a_folder_in_place_of_a_file_is_named(raw):
    (raw / LABELS).unlink()
    (raw / LABELS).mkdir()
    with pytest.raises(data.DataError, match=f"{raw / LABELS} cannot be read .*; allow reading it; or remove it"):
        data.load("mnist", train=False)


def test_a_file_without_read_permission_is_named(raw, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(raw), "read_bytes", refuse)  # root may read everything
    with pytest.raises(data.DataError, match=rf"{raw / IMAGES} cannot be read \(Permission denied\); allow"):
        data.load("mnist", train=False)


def test_commands_report_it(raw, checkpoint):
    for name in data.MD5["mnist"]:
        (raw / name).write_bytes(b"")
    for command in (lambda: data.main([]), lambda: evaluate.main(["lenet5.mnist", f"--weights={checkpoint().parent}"])):
        with pytest.raises(SystemExit, match=f"error: {raw}/.* is damaged"):
            command()


def test_files_of_old_versions_of_torchvision_are_not_read(raw):
    """They have no known MD5."""
    expected = data.load("mnist", train=False)
    (raw.parent / "processed").mkdir()
    for name in (datasets.MNIST.training_file, datasets.MNIST.test_file):
        torch.save((torch.zeros(1, 28, 28, dtype=torch.uint8), torch.zeros(1)), raw.parent / "processed" / name)
    assert torch.equal(data.load("mnist", train=False).images, expected.images)


def test_a_missing_file_is_unpacked_from_its_archive(raw, monkeypatch):
    resources, expected = [], data.load("mnist", train=False)
    for name in data.MD5["mnist"]:
        content = gzip.compress((raw / name).read_bytes() if (raw / name).exists() else b"others", 1)
        resources.append((f"{name}.gz", hashlib.md5(content).hexdigest()))
        (raw / f"{name}.gz").write_bytes(content)
        (raw / name).unlink(missing_ok=True)
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    assert torch.equal(data.load("mnist", train=False).images, expected.images)
    with pytest.raises(data.DataError, match=f"{raw}/train-images-idx3-ubyte is damaged"):
        data.load("mnist", train=True)


def test_what_a_captive_portal_sends_is_no_data_set(raw, monkeypatch):
    class Portal(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>Please log in</html>")

        def log_message(self, *_):
            pass

    (raw / LABELS).unlink()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Portal) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(datasets.MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        for _ in range(2):
            with pytest.raises(data.DataError, match=r"^MNIST is not in .* could not be downloaded .*; connect"):
                data.load("mnist", train=False)
        server.shutdown()
    assert not (raw / LABELS).exists()


def test_missing_data_is_reported_with_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "file"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    (tmp_path / "file").write_text("a file where a folder should be")
    with pytest.raises(data.DataError, match=f"not in {tmp_path / 'file'} and .*set CNN_DATA_DIR"):
        data.load("mnist", train=True)
