"""The zip of labelled images: what is packed comes back, and what is not one gets a sentence."""

import io
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from cnn_models.checkpoints.folder import read_card
from cnn_models.datasets.handwriting import LABELS, Labelled, pack, unpack
from cnn_models.images.decode import MAX_BYTES, ImageError, decode
from cnn_models.specs import Split
from tests.training.test_loop import finish, run
from training import evaluate
from training.recipes import HELD_OUT

SEVEN = Path("ui/common/samples/mnist.7.png").read_bytes()
BAG = Path("ui/common/samples/fashion_mnist.8.png").read_bytes()


def test_what_is_packed_comes_back_by_data_set(tmp_path):
    content = pack(
        [Labelled(SEVEN, "mnist", "7"), Labelled(BAG, "fashion_mnist", "Bag"), Labelled(SEVEN, "mnist", "1")]
    )
    images, labels = unpack(content, "mnist")
    assert images.shape == (2, 28, 28) and labels.tolist() == [7, 1] and (images[0] == decode(SEVEN)).all()
    (tmp_path / "mine.zip").write_bytes(content)
    images, labels = unpack(tmp_path / "mine.zip", "fashion_mnist")
    assert labels.tolist() == [8] and (images[0] == decode(BAG)).all()
    assert unpack(pack([]), "mnist")[0].shape == (0, 28, 28)


def test_checkpoints_are_evaluated_on_it(tmp_path, capsys):
    file = tmp_path / "mine.zip"
    file.write_bytes(pack([Labelled(SEVEN, "mnist", "7"), Labelled(SEVEN, "mnist", "1")]))
    evaluate.main(["--pictures", str(file)])
    table = capsys.readouterr().out
    assert "| mini_resnet.mnist | 1 | 2 | 50.0 % |" in table and "fashion" not in table


def test_it_joins_the_training_images(tmp_path, data_dir):
    file = tmp_path / "mine.zip"
    file.write_bytes(pack([Labelled(SEVEN, "mnist", "7"), Labelled(SEVEN, "mnist", "1")]))
    code, errors = finish(run(tmp_path, f"--extra={file}", "--epochs=1"))
    assert code == 0, errors
    card = read_card(tmp_path / "mini_resnet.mnist")
    assert card.split == Split(600, HELD_OUT, extra=2) and "602" in errors.replace(".", "")
    file.write_bytes(b"no zip")
    code, errors = finish(run(tmp_path, f"--extra={file}"))
    assert code == 1 and "export it from the page" in errors and "Traceback" not in errors


def zipped(**files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(LABELS if name == "labels" else name, content)
    return file.getvalue()


HEAD = "file,dataset,label\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not a zip", "not a zip"),
        (zipped(), "no 'labels.csv'"),
        (zipped(labels="a,b\n"), "other columns"),
        (zipped(labels=b"\xff\xfe"), "not a zip of labelled"),
        (zipped(labels=HEAD + "gone.png,mnist,7\n"), "no 'gone.png'"),
        (zipped(labels=HEAD + "a,mnist,7\n", a=b"x"), "'a': This is not an image"),
        (zipped(labels=HEAD + "a,mnist,Bag\n", a=SEVEN), "'Bag' is not a class of 'mnist'"),
        (zipped(labels=HEAD + "a\n", a=SEVEN), "None is not a class"),
        (zipped(labels=HEAD + "a,mnist,7\n", a=b"\0" * (MAX_BYTES + 1)), "larger than 80 MB"),
        (pack([Labelled(SEVEN, "mnist", "7")])[:-30], "not a zip"),
    ],
)
def test_what_is_not_one_gets_a_sentence(content, sentence):
    with pytest.raises(ImageError, match=sentence):
        unpack(content, "mnist")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_one_gets_a_sentence_with_its_name(compression, tmp_path):
    path, whole = tmp_path / "mine.zip", io.BytesIO()
    with zipfile.ZipFile(whole, "w", compression) as archive:
        archive.writestr(LABELS, HEAD + "a,mnist,7\n")
        archive.writestr("a", SEVEN)
    sentences = set()
    for number in range(0, len(whole.getvalue()), 3):
        damaged = bytearray(whole.getvalue())
        damaged[number] ^= 0xFF
        path.write_bytes(damaged)
        with suppress(ImageError):  # not all of a zip matters
            unpack(path, "mnist")
            continue
        sentences.add(number)
    assert len(sentences) > 10
    path.write_bytes(whole.getvalue()[:-30])
    with pytest.raises(ImageError, match=f"{path}: This is not a zip"):
        unpack(path, "mnist")


def test_a_row_of_the_table_that_is_too_long_gets_a_sentence():
    with pytest.raises(ImageError, match="not a zip of labelled images"):
        unpack(zipped(labels=HEAD + "a" * 200_000 + ",mnist,7\n"), "mnist")


@pytest.mark.parametrize(
    "bad", [Labelled(b"x", "mnist", "7"), Labelled(SEVEN, "mnist", "Bag"), Labelled(SEVEN, "x", "7")]
)
def test_nothing_is_packed_that_cannot_be_read(bad):
    with pytest.raises(ImageError):
        pack([bad])
