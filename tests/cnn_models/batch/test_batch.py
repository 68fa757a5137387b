"""Many images at once: those of a folder or zip, their labels, rows and summary."""

import csv
import io
import shutil
import zipfile
from pathlib import Path

import pytest

from cnn_models import DATASETS, ModelHub, compare
from cnn_models.batch import rows
from cnn_models.batch.__main__ import main
from cnn_models.batch.files import MOST_DIRECTORY, MOST_IMAGES, Files, opened
from cnn_models.batch.labels import labels_of
from cnn_models.datasets.handwriting import Labelled, pack
from cnn_models.errors import Refused
from cnn_models.images.decode import MAX_BYTES, ImageError, read

SAMPLES = Path("ui/common/samples")
SEVEN = (SAMPLES / "mnist.7.png").read_bytes()
NETWORKS = ["lenet5", "mini_resnet"]


@pytest.fixture(scope="module")
def bundled() -> ModelHub:
    return ModelHub()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder of ten digits in class folders, with a blank image, a damaged one, and files that are no images."""
    root = tmp_path / "digits"
    for label in DATASETS["mnist"].classes:
        (root / label).mkdir(parents=True)
        shutil.copy(SAMPLES / f"mnist.{label}.png", root / label / "a.png")
    shutil.copy("ui/compare.png", root / "wide.PNG")
    (root / "3" / "damaged.jpg").write_bytes(b"\xff\xd8\xff")
    (root / "notes.txt").write_text("no image")
    (root / ".hidden.png").write_bytes(SEVEN)
    return root


def zipped(root: Path) -> Path:
    return Path(shutil.make_archive(str(root), "zip", root))


def table_of(capsys, *arguments: object) -> tuple[list[dict[str, str]], str]:
    """The rows that the command prints, and what it prints to standard error."""
    main([str(each) for each in arguments])
    printed = capsys.readouterr()
    return list(csv.DictReader(io.StringIO(printed.out))), printed.err


def test_a_row_is_the_comparison_of_its_image(folder, bundled, capsys):
    found, summary = table_of(capsys, folder, "--dataset", "mnist", "--networks", ",".join(NETWORKS))
    assert [row["file"] for row in found] == sorted([*(f"{n}/a.png" for n in range(10)), "3/damaged.jpg", "wide.PNG"])
    *others, refused = sorted(found, key=lambda row: row["refused"])
    with pytest.raises(ImageError, match=refused["refused"]):
        read(folder / refused["file"])
    assert not refused["prediction"] + refused["lenet5.mnist"] + refused["warning"]
    for row in others:
        alone = compare(folder / row["file"], "mnist", NETWORKS, bundled)
        assert (row["prediction"], row["warning"]) == (alone.verdict.label, alone.verdict.why)
        assert int(row["votes"]) == alone.verdict.votes[alone.verdict.label] and not row["refused"]
        for each in alone.models:
            assert row[each.id] == each.label
            confidence = each.probabilities[each.label]
            assert float(row[f"{each.id} confidence"]) == pytest.approx(confidence, abs=1e-5)
    labels = {row["file"]: row["label"] for row in found}
    assert labels["7/a.png"] == "7" and not labels["wide.PNG"]
    assert "12 images: 1 refused" in summary and "labels of 11 images from folders" in summary
    assert "| mini_resnet.mnist | 10 | 10 | 100.00 % |" in summary


def test_a_zip_has_the_rows_of_its_folder(folder, capsys):
    arguments = "--dataset", "mnist", "--networks", "lenet5"
    assert table_of(capsys, zipped(folder), *arguments)[0] == table_of(capsys, folder, *arguments)[0]


def test_the_rows_are_written_to_a_file_and_the_confusion_matrices_on_request(folder, tmp_path, capsys):
    file = tmp_path / "rows.csv"
    arguments = [folder, "--dataset", "mnist", "--networks", "lenet5", "--out", file, "--confusion"]
    found, summary = table_of(capsys, *arguments)
    assert not found and len(list(csv.DictReader(file.open(encoding="utf-8")))) == 12
    assert (
        "| lenet5.mnist: label, prediction | 0 | 1 |" in summary and "| 7 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |" in summary
    )
    with pytest.raises(SystemExit, match=r"error: .*gone"):
        main([*map(str, arguments[:-2]), str(tmp_path / "gone" / "rows.csv")])


def test_a_batch_of_images_is_in_memory_at_a_time(folder, monkeypatch, capsys):
    monkeypatch.setattr("cnn_models.batch.rows.BATCH", 5)
    were_read, sizes = [], []

    def compare_images(images, *rest):
        sizes.append(len(images))
        assert len(were_read) == sum(sizes)
        return rows.compare_images(images, *rest)

    monkeypatch.setattr("cnn_models.batch.run.read", lambda content: were_read.append(len(were_read)) or read(content))
    monkeypatch.setattr("cnn_models.batch.run.compare_images", compare_images)
    assert len(table_of(capsys, folder, "--dataset", "mnist", "--networks", "lenet5")[0]) == 12
    assert sizes == [5, 5, 2] and len(were_read) == 12


def named(*names: str, dataset: str = "mnist") -> tuple[dict[str, str], str]:
    return tuple(labels_of(Files(list(names), lambda name: b""), DATASETS[dataset]))


def test_a_table_counts_before_folders_and_these_before_names():
    images = ["7/1_a.png", "2_b.png"]
    table = Files([*images, "labels.csv"], lambda name: b"\xef\xbb\xbffile,label\n7/1_a.png,3\n")
    assert tuple(labels_of(table, DATASETS["mnist"])) == ({"7/1_a.png": "3"}, "labels.csv")
    assert named(*images) == ({"7/1_a.png": "7"}, "folders")
    assert named("2_b.png", "10_c.png", "3.png", "x/4_d.png") == ({"2_b.png": "2", "x/4_d.png": "4"}, "names")
    assert named("a.png")[0] == {}


def test_a_table_is_relative_to_its_folder():
    table = Files(["set/7.png", "set/labels.csv"], lambda name: b"label,file\n7,7.png\n")
    assert labels_of(table, DATASETS["mnist"]).classes == {"set/7.png": "7"}


def test_classes_are_known_in_any_spelling_and_by_their_index():
    names = ["T-shirt_top/a.png", "ankle boot/b.png", "9/c.png", "BAG/d.png", "other/e.png"]
    found, _ = named(*names, dataset="fashion_mnist")
    assert list(found.values()) == ["T-shirt/top", "Ankle boot", "Ankle boot", "Bag"]
    assert named("ankle_boot_1.png", dataset="fashion_mnist")[0] == {"ankle_boot_1.png": "Ankle boot"}


def test_a_zip_of_drawings_has_its_labels(tmp_path, capsys):
    (tmp_path / "mine.zip").write_bytes(
        pack(
            [
                Labelled(SEVEN, "mnist", "7"),
                Labelled((SAMPLES / "fashion_mnist.8.png").read_bytes(), "fashion_mnist", "Bag"),
            ]
        )
    )
    found, _ = table_of(capsys, tmp_path / "mine.zip", "--dataset", "mnist", "--networks", "lenet5")
    assert [row["label"] for row in found] == ["7", ""]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a,b\n", "no columns file and label"),
        (b"file,label\na.png,x\n", "'x' is not a class; the classes are 0, 1"),
        (b"file,label\na.png\n", "None is not a class"),
        (b"file,label\ngone.png,7\n", "names 'gone.png', which is not among the images"),
        (b"file,label\n\xff,7\n", "not a table of comma-separated values in UTF-8"),
        (b"file,label\n" + b"a" * 200_000 + b",7\n", "not a table of comma-separated values in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_gets_a_sentence(content, sentence):
    with pytest.raises(Refused, match=sentence):
        labels_of(Files(["a.png", "labels.csv"], lambda name: content), DATASETS["mnist"])


def test_a_file_of_a_zip_that_cannot_be_read_is_a_row_with_a_sentence(tmp_path, capsys):
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", b"\0" * (MAX_BYTES + 1))
        archive.writestr("fine.png", SEVEN)
        archive.writestr("wrong.png", SEVEN, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(SEVEN, bytes(len(SEVEN))))
    found, summary = table_of(capsys, path, "--dataset", "mnist", "--networks", "lenet5")
    assert [row["prediction"] for row in found] == ["", "7", ""] and "2 refused" in summary
    assert "larger than 80 MB" in found[0]["refused"] and "cannot be read from the zip" in found[2]["refused"]


def test_what_has_no_images_gets_a_sentence(tmp_path):
    (tmp_path / "no.zip").write_bytes(b"no zip")
    for source, sentence in ((tmp_path, "no images in"), (tmp_path / "no.zip", "neither a folder nor a whole zip")):
        with pytest.raises(SystemExit, match=f"error: .*{sentence}"):
            main([str(source), "--dataset", "mnist"])
    with pytest.raises(SystemExit, match=r"error: 'vgg' is not a checkpoint"):
        main([str(SAMPLES), "--dataset", "mnist", "--networks", "vgg"])


def test_unknown_names_are_refused_at_once(tmp_path, capsys):
    for arguments, sentence in ((["gone", "--dataset", "mnist"], "there is no gone"), ([".", "--dataset", "x"], "'x'")):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2 and sentence in capsys.readouterr().err


def test_a_folder_is_closed_after_use(folder):
    with opened(zipped(folder)) as files:
        assert files.read("7/a.png") == SEVEN
    with pytest.raises(ImageError, match="cannot be read from the zip"):
        files.read("7/a.png")


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        (dict.fromkeys([f"{number}.png" for number in range(MOST_IMAGES + 1)], b""), f"more than {MOST_IMAGES} images"),
        ({"x" * 60_000 + f"{number}.png": b"" for number in range(MOST_DIRECTORY // 60_000 + 1)}, "more than"),
        ({"a.png": bytes(MAX_BYTES), "b.png": b"1"}, "more than 80 MB in all"),
    ],
)
def test_a_zip_of_an_untrusted_client_has_limits(contents, sentence, tmp_path):
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    with opened(path) as files:
        assert len(files.names) == len(contents)
    with pytest.raises(Refused, match=sentence), opened(path, public=True):
        pass
