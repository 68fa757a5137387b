"""Values of the sketchpad, and untrusted ones."""

import base64

import pytest
from PIL import Image

from cnn_models import DATASETS
from cnn_models.images.decode import ImageError, decode
from ui.common import uploads
from ui.common.sketchpad import PNG, UPLOAD, image_of, sample, samples, uploaded


def test_an_empty_canvas_is_no_image():
    assert image_of("") is None and image_of(None) is None


def test_a_drawing_is_its_bytes():
    content = sample("mnist", 7).read_bytes()
    assert image_of(PNG + base64.b64encode(content).decode()) == content


def test_only_uploads_are_opened(tmp_path):
    folder = uploads.folder() / "test_sketchpad"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.png").write_bytes(b"x")
    (tmp_path / "b.png").write_bytes(b"x")
    assert image_of(f"{UPLOAD}{folder / 'a.png'}") == (folder / "a.png").resolve()
    assert image_of(UPLOAD + uploads.keep("b.png", b"x")).read_bytes() == b"x"
    outside = [str(tmp_path / "b.png"), "/etc/passwd", f"{folder}/../../../etc/passwd", "", ".", "a\0b", str(folder)]
    for path in outside:
        with pytest.raises(ImageError, match="not an image uploaded here"):
            image_of(UPLOAD + path)
    (folder / "link.png").unlink(missing_ok=True)
    (folder / "link.png").symlink_to(tmp_path / "b.png")
    for path in (str(folder / "link.png"), None, 7, {}):
        with pytest.raises(ImageError, match="not an image uploaded here"):
            uploaded(path)


@pytest.mark.parametrize("value", [7, [], {}, "data:text/html;base64,eA==", PNG + "not base64!", "x" * 10_000])
def test_anything_else_gets_a_sentence(value):
    with pytest.raises(ImageError, match="clear the sketchpad"):
        image_of(value)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_strip_shows_the_first_test_image_of_each_class(dataset, data_dir):
    from training.data import load

    test = load(dataset, train=False)
    for index, label in enumerate(DATASETS[dataset].classes):
        first = test.images[(test.labels == index).nonzero()[0].item()]
        path = sample(dataset, index)
        assert Image.open(path).size == (28, 28) and (decode(path) == first.numpy()).all()
        assert label in samples(dataset)
