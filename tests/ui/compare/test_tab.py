"""The responses of the Compare tab, without a browser."""

import base64
import io
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import ExifTags, Image

from cnn_models import ModelHub
from cnn_models.checkpoints.folder import WEIGHTS
from cnn_models.images.preprocess import SWITCHES
from ui.common.sketchpad import PNG, SAMPLES, sample
from ui.common.texts import LANGUAGES
from ui.compare.explanations import Explainer
from ui.compare.predictor import Predictor
from ui.compare.request import PARTS

SEVEN = PNG + base64.b64encode(sample("mnist", 7).read_bytes()).decode()


@pytest.fixture
def predict(hub):
    """`predict(image, name=value)` returns the response: verdict, board and steps as HTML, and the order."""
    predictor = Predictor(hub)
    return lambda image=SEVEN, **values: predictor.predict({"image": image, **values})


def numbers(html, model):
    return [
        float(n)
        for n in re.findall(rf'<td data-model="{model}" data-class[^>]*>(?:<span>)?(?:&[lg]t;)?([0-9.]+)<', html)
    ]


def figure(html, model, row):
    """The number in a row of a network's column."""
    return float(re.findall(rf'<td data-model="{model}"[^>]*>([^<]*)', html)[row].split()[0])


def shown(html):
    """The images of the HTML, each H x W."""
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in re.findall(r"base64,([^\"]+)", html)]


def test_a_damaged_network_says_so_in_its_column_and_the_others_answer(checkpoint, predict):
    checkpoint("mini_resnet.mnist")
    path = checkpoint("lenet5.mnist") / WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    got = predict(models=["lenet5", "mini_resnet"])
    assert "Mini ResNet reads" in got["verdict"] and "verdict-alarm" not in got["verdict"]
    assert "changed or damaged" in got["board"] and got["board"].count("board-missing") == 1
    assert len(numbers(got["board"], "mini_resnet")) == 10


def test_a_network_without_weights_names_the_command_that_trains_it(predict):
    got = predict("", dataset="fashion_mnist", models=["alexnet"])
    assert "The canvas is empty: draw a garment" in got["verdict"] and "<img" not in got["steps"]
    assert "alexnet.<wbr>fashion_<wbr>mnist" in got["board"] and "not trained yet" in got["board"]


def test_concurrent_requests_get_the_responses_of_each_alone(checkpoint, hub, predict):
    """In the language of each request; some images are invalid."""
    for id in ("lenet5.mnist", "mini_resnet.mnist"):
        checkpoint(id)
    images = [PNG + base64.b64encode(path.read_bytes()).decode() for path in SAMPLES.glob("mnist.*.png")]
    requests = [
        {"image": image, "language": language, "models": ["mini_resnet", "lenet5"]}
        for image in ["nonsense", *images, ""]
        for language in LANGUAGES
    ]
    alone = [predict(**request) for request in requests]
    predictor = Predictor(hub)
    with ThreadPoolExecutor(len(requests)) as pool:
        for got, expected in zip(pool.map(predictor.predict, requests), alone, strict=True):
            assert got["verdict"] == expected["verdict"] and got["answers"] == expected["answers"]
            assert numbers(got["board"], "lenet5") == pytest.approx(numbers(expected["board"], "lenet5"), abs=0.2)


def test_nothing_to_ask_gets_a_sentence(predict):
    for models in ([], ["alexnet"]):
        assert "choose a trained one" in predict(models=models)["verdict"]


def test_nonsense_gets_a_sentence(checkpoint, predict):
    checkpoint()
    for value in ("nonsense", 7, {"path": "/etc/passwd"}, PNG + "eA=="):
        got = predict(value, models=["lenet5"])
        assert "verdict-alarm" in got["verdict"] and "board-winner" not in got["board"]


def test_the_small_answer_without_the_large_and_together_only_all(checkpoint, predict):
    checkpoint("lenet5.mnist"), checkpoint("googlenet.mnist")
    quick, whole = predict(quick=True), predict()
    assert not quick["complete"] and quick["verdict"] is None and whole["steps"] is None
    assert len(numbers(quick["board"], "lenet5")) == 10 and not numbers(quick["board"], "googlenet")
    assert '<td data-model="googlenet" data-pending' in quick["board"]
    assert len(numbers(whole["board"], "googlenet")) == 10 and 'data-model="lenet5" data-pending' in whole["board"]
    assert "networks read" in whole["verdict"] or "disagree" in whole["verdict"]


def test_networks_are_sorted_by_architecture_or_prediction_but_never_while_one_draws(checkpoint, predict):
    for name in ("lenet5", "mini_resnet", "mini_inception"):
        checkpoint(f"{name}.mnist")
    names = ["mini_resnet", "lenet5", "mini_inception"]
    assert predict(models=names)["order"] == ["lenet5", "mini_inception", "mini_resnet"]
    assert predict(models=names, sort="size")["order"] == ["mini_resnet", "lenet5", "mini_inception"]
    got = predict(models=names, sort="confidence")
    most = [max(numbers(got["board"], name)) for name in got["order"]]
    assert most == sorted(most, reverse=True)
    assert predict(models=names, sort="confidence", drawing=True)["order"] == names
    for sort, row in (("margin", 10), ("entropy", 11), ("time", 12)):
        got = predict(models=[*names, "alexnet"], sort=sort)
        shown = [figure(got["board"], name, row) for name in got["order"][:3]]
        assert got["order"][3] == "alexnet" and shown == sorted(shown, reverse=sort == "margin")


def test_a_step_switched_off_changes_the_image_and_the_answers(checkpoint, predict):
    checkpoint()
    on, off = (predict(models=["lenet5"], quick=True, off=names) for names in ([], ["polarity"]))
    assert on["steps"].count(" checked") == len(SWITCHES) == off["steps"].count(" checked") + 1
    assert numbers(on["board"], "lenet5") == numbers(off["board"], "lenet5")  # a test image is bright on black
    assert numbers(predict(models=["lenet5"], off=["scale", "centre"])["board"], "lenet5") != numbers(
        on["board"], "lenet5"
    )


def test_without_normalisation_every_answer_is_another_and_the_images_are_paler(checkpoint, hub):
    checkpoint()
    predictor = Predictor(hub)
    request, off = ({"image": SEVEN, "models": ["lenet5"], "off": off} for off in ([], ["normalisation"]))
    seen = [predictor.predict(each) for each in (request, off, request)]  # from the cache
    assert numbers(seen[0]["board"], "lenet5") == numbers(seen[2]["board"], "lenet5")
    assert numbers(seen[0]["board"], "lenet5") != numbers(seen[1]["board"], "lenet5")
    pale, whole = (shown(predictor.predict({**each, "quick": True})["steps"])[-1] for each in (off, request))
    assert (whole.min(), whole.max()) == (0, 255) and (pale.min(), pale.max()) == (33, 112)
    explainer = Explainer(predictor)
    for part in ("heat", "break", "looks"):
        assert explainer.prepare({**request, "part": part})() != explainer.prepare({**off, "part": part})(), part


def test_a_photo_stays_as_the_file_has_it_and_a_drawing_says_that_there_is_nothing_to_turn(checkpoint, predict, hub):
    checkpoint()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    photo = io.BytesIO()
    Image.open(sample("mnist", 7)).save(photo, "PNG", exif=exif)
    photo = PNG + base64.b64encode(photo.getvalue()).decode()
    upright, turned = (predict(photo, models=["lenet5"], quick=True, off=off) for off in ([], ["orientation"]))
    drawn = predict(models=["lenet5"], quick=True)
    assert "upright by EXIF" in drawn["steps"] and "upright by EXIF" not in upright["steps"] + turned["steps"]
    for image in (0, 4, 5):  # decoded, centred, given to LeNet-5
        assert np.array_equal(shown(turned["steps"])[image], shown(drawn["steps"])[image])
        assert not np.array_equal(shown(upright["steps"])[image], shown(drawn["steps"])[image])
    said = [numbers(got["board"], "lenet5") for got in (drawn, turned, upright)]
    assert said[0] == said[1] != said[2]
    heat = {"part": "heat", "models": ["lenet5"], "off": ["orientation"]}
    drawn, turned = (Explainer(Predictor(hub)).prepare({**heat, "image": image})() for image in (SEVEN, photo))
    assert drawn == turned


def test_every_part_of_the_why_is_drawn_for_every_network(checkpoint, hub):
    for name in ("lenet5", "mini_resnet"):
        checkpoint(f"{name}.mnist")
    explainer = Explainer(Predictor(hub))
    for language in LANGUAGES:
        request = {"image": SEVEN, "language": language}
        heat, broken, attack, looks, alike = (explainer.prepare({**request, "part": part})() for part in PARTS)
        assert heat.count("<img") == 4 and broken.count("<polyline") == 2 * 6 and looks.count("<dl>") == 2
        assert attack.count("<img") == 3 and attack.count("<dl>") == 2
        assert all("Mini ResNet" in html for html in (heat, broken, attack, looks, alike))
    assert "for 3" in explainer.prepare({"image": SEVEN, "part": "heat", "label": "3"})()
    for nothing in ({}, {"image": ""}, {"image": SEVEN, "models": []}):
        assert explainer.prepare(nothing)() == "<p>Nothing yet</p>"
    assert "clear the sketchpad" in explainer.prepare({"image": "nonsense"})()


def test_calibration_does_not_change_the_log_linear_ensemble():
    """Of bundled networks whose temperatures are not 1."""
    predictor = Predictor(ModelHub())
    image = PNG + base64.b64encode(sample("fashion_mnist", 6).read_bytes()).decode()
    request = {"image": image, "dataset": "fashion_mnist", "log_linear": True}
    boards = [predictor.predict({**request, "calibrated": calibrated})["board"] for calibrated in (True, False)]
    assert numbers(boards[0], "log_linear") == numbers(boards[1], "log_linear")
    assert len(numbers(boards[0], "log_linear")) == 10 and numbers(boards[0], "together") != numbers(
        boards[1], "together"
    )
    hidden = predictor.predict({**request, "models": ["lenet5"]})["board"]
    assert "show exactly these" in hidden and not numbers(hidden, "log_linear")


def test_the_why_is_calibrated_as_the_board_is():
    """Of a network whose temperature is not 1."""
    predictor, seen = Predictor(ModelHub()), set()
    image = PNG + base64.b64encode(sample("fashion_mnist", 6).read_bytes()).decode()
    for calibrated in (True, False):
        request = {"image": image, "dataset": "fashion_mnist", "models": ["lenet5"], "calibrated": calibrated}
        percentage = re.search(r"board-winner[^>]*>([0-9.]+)<", predictor.predict(request)["board"])[1]
        looks, broken = (Explainer(predictor).prepare({**request, "part": part})() for part in ("looks", "break"))
        assert f"{percentage}\N{NO-BREAK SPACE}%</span>" in looks
        seen |= {percentage, broken}
    assert len(seen) == 4
