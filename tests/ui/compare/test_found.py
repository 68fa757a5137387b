"""A photograph on the Compare tab: its digits, its turn and its steps."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.verdict import WHY, Reason, Verdict
from cnn_models.images import segment
from cnn_models.images.decode import Decoded
from cnn_models.images.preprocess import SWITCHES, Preprocessed
from cnn_models.images.steps import Found, Step
from cnn_models.predict import Comparison, Prediction
from ui.common.sketchpad import PNG, sample
from ui.common.texts import LANGUAGES
from ui.compare.board import Column
from ui.compare.explanations import Explainer
from ui.compare.found import found_html
from ui.compare.predictor import Job, Predictor
from ui.compare.request import Request
from ui.compare.verdict import NONE, sentence

SIDE = 28
OUTLINE = ((10, 10), (200, 12), (198, 90), (12, 88))
GRID = np.zeros((SIDE, SIDE), np.uint8)


def digit(label):
    return np.asarray(Image.open(sample("mnist", label)))


def sent(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return PNG + base64.b64encode(file.getvalue()).decode()


def find_halves(pixels, off):
    """Finds a digit in each half of the width, as bright as the photograph is dark."""
    strength = 255 - pixels[..., 0]
    middle = strength.shape[1] // 2
    boxes = ((0, 0, middle, len(pixels)), (middle, 0, strength.shape[1], len(pixels)))
    sheet = Step("sheet", pixels, outline=() if "sheet" in off else OUTLINE)
    steps = sheet, Step("light", pixels), Step("components", strength, boxes)
    return Found(steps, (strength[:, :middle], strength[:, middle:]))


@pytest.fixture
def photograph(monkeypatch):
    """A photograph of a 1 and a 0, 112 x 224, yellow on white."""
    monkeypatch.setitem(segment.FINDERS, "digits", find_halves)
    ink = np.kron(np.hstack([digit(1), digit(0)]), np.ones((4, 4), np.uint8))
    return np.dstack([255 - ink, 255 - ink, np.full_like(ink, 255)])


@pytest.fixture(scope="module")
def predictor():
    return Predictor(ModelHub())


def predict(predictor, pixels, **values):
    return predictor.predict({"image": sent(pixels), "models": ["lenet5"], "quick": True, **values})


def images(html):
    """The images of the HTML, each H x W or H x W x 3."""
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in re.findall(r"base64,([^\"]+)", html)]


def step(html, name):
    return re.search(rf'<li data-step="{name}".*?</li>', html, re.DOTALL)[0]


def shares(board):
    """The probabilities on the board, without the time of the forward pass."""
    return re.findall(r"--p:([0-9.]+)", board)


def test_a_photograph_shares_no_batch_with_a_drawing(photograph):
    photo, drawing, other = (
        Job(Request(models=("lenet5",)), {"lenet5": Column("lenet5")}, image=Decoded(each))
        for each in (photograph, digit(1), digit(0))
    )
    assert drawing.key == other.key != photo.key


@pytest.mark.parametrize(("chosen", "place", "label"), [(0, "first", "1"), (1, "second", "0"), (99, "second", "0")])
def test_several_digits_are_in_a_row_and_the_chosen_one_is_on_the_board_and_in_the_steps(
    predictor, photograph, chosen, place, label
):
    got = predict(predictor, photograph, digit=chosen)
    assert f"Several digits: 1 0. The {place}: LeNet-5 reads {label}." in got["verdict"]
    assert got["answers"] == {"lenet5": label}
    assert re.findall(r'value="(\d)"( checked)?', got["found"]) == [
        ("0", " checked" * (label == "1")), ("1", " checked" * (label == "0")),
    ]  # fmt: skip
    assert re.findall(r"<b>(.*?)</b>", got["found"]) == ["1", "0"]
    grids = images(got["found"])
    assert [grid.shape for grid in grids] == [(SIDE, SIDE)] * 2 and (grids[0] != grids[1]).any()
    assert (images(step(got["steps"], "centre"))[0] == grids[label == "0"]).all()


def test_the_chosen_digit_is_explained(predictor, photograph):
    alone = {"image": sent(digit(0)), "part": "heat", "models": ["lenet5"]}
    first, second = ({**alone, "image": sent(photograph), "digit": index} for index in range(2))
    explainer = Explainer(predictor)
    saliency = [explainer.prepare(request)() for request in (first, second)]
    assert "Evidence for 1" in saliency[0] and "Evidence for 0" in saliency[1]


def test_a_digit_alone_an_empty_canvas_and_a_refused_image_have_nothing_below_the_verdict(predictor):
    assert predict(predictor, digit(7))["found"] == ""
    assert predictor.predict({})["found"] == predictor.predict({"image": "nonsense"})["found"] == ""
    assert predictor.predict({"image": sent(digit(7)), "quick": True})["found"] is None  # GoogLeNet is missing yet


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turn_is_that_of_the_image_and_also_that_of_its_explanation(predictor, quarters):
    lying = np.rot90(digit(7), quarters)  # counterclockwise
    upright, turned = predict(predictor, digit(7)), predict(predictor, lying, turn=quarters)
    assert shares(turned["board"]) == shares(upright["board"]) != shares(predict(predictor, lying)["board"])
    assert turned["steps"] == upright["steps"]
    heat = {"part": "heat", "models": ["lenet5"]}
    explain = Explainer(predictor).prepare
    there = explain({**heat, "image": sent(lying), "turn": quarters})()
    assert there == explain({**heat, "image": sent(digit(7))})()


VALUES = {
    "several": {"digits": "1 0"}, "turned": {"degrees": 90, "label": "7"}, "lookalike": {"dataset": "fashion_mnist"},
    "ood": {"unusual": 1, "count": 1}, "ood.one": {"unusual": 1, "count": 1},
    "undecided": {"label": "7", "probability": 0.4},
}  # fmt: skip


DRAWN = Preprocessed((Step("decoded", GRID), Step("polarity", GRID), Step("centre", GRID)), (GRID,))
PHOTOGRAPHED = Preprocessed((Step("decoded", GRID), Step("sheet", GRID), Step("centre", GRID)), (GRID,))


def warned(code, **values):
    """A comparison of LeNet-5, which reads 7, with a warning."""
    classes = DATASETS["mnist"].classes
    answer = Prediction("lenet5.mnist", "7", {name: float(name == "7") for name in classes}, 4.5, 0.5)
    warning = Reason(code.removesuffix(".one"), VALUES.get(code, {}) | values)
    comparison = Comparison.of("mnist", DRAWN, [[answer]])
    return Comparison("mnist", comparison.steps, Verdict.of([answer], warning), comparison.models)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", WHY)
def test_each_warning_says_what_is_wrong_and_then_what_is_read(code, language):
    text = sentence(warned(code), language)
    assert text.endswith("LeNet-5 reads 7." if language == "en" else "LeNet-5预测为 7。")
    assert text.startswith(("Probably none", "可能不属于")) == (code.removesuffix(".one") in NONE)
    assert "{" not in text and warned(code).verdict.why


@pytest.mark.parametrize(
    ("degrees", "said"), [(90, "90° to the right"), (180, "turned by 180°"), (270, "90° to the left")]
)
def test_an_image_that_may_be_turned_gets_buttons_of_which_the_helpful_one_is_marked(degrees, said):
    comparison = warned("turned", degrees=degrees)
    assert f"{said}, it would be 7. LeNet-5 reads 7." in sentence(comparison)
    html = found_html(comparison, DRAWN, 0)
    assert re.findall(r'data-turn="(\d)"( class)?', html) == [
        (quarters, " class" * (degrees == 90 * int(quarters))) for quarters in "312"
    ]


def test_a_photograph_with_another_warning_can_be_turned_too_and_a_drawing_need_not_be():
    assert found_html(warned("unsure"), PHOTOGRAPHED, 0).count("data-turn") == 3
    assert "data-turn" not in found_html(warned("unsure"), DRAWN, 0)
    assert "data-turn" not in found_html(warned("sheet"), PHOTOGRAPHED, 0)


def test_the_strip_of_a_photograph_has_colours_the_outline_of_the_sheet_and_the_boxes_of_the_digits(
    predictor, photograph
):
    got = predict(predictor, photograph)["steps"]
    for name in ("orientation", "sheet", "light", "components"):
        assert 'class="steps-photo"' in step(got, name) and " hidden>" not in step(got, name)
    colours = images(step(got, "orientation"))[0]
    assert colours.shape == photograph.shape and np.abs(colours.astype(int) - photograph).mean() < 10  # a JPEG
    assert '<svg viewBox="0 0 224 112"' in step(got, "sheet") and 'points="10,10 200,12' in step(got, "sheet")
    assert step(got, "components").count("<rect") == 2 and 'x="112" y="0" width="112"' in step(got, "components")
    assert "<polygon" not in step(predict(predictor, photograph, off=["sheet"])["steps"], "sheet")


def test_a_drawing_has_no_steps_of_a_photograph_unless_one_is_switched_off_and_keeps_the_switches(predictor):
    steps = {off: predict(predictor, digit(7), off=[off])["steps"] for off in ("polarity", "light", "ground")}
    for name in ("sheet", "light", "components", "ground"):
        hidden = {off for off, html in steps.items() if " hidden>" in step(html, name)}
        assert hidden == steps.keys() - ({"light"} if name == "light" else set())
        assert [off for off, html in steps.items() if " checked" not in step(html, name)] == [name] * (name in steps)
        # a switch for clothing counts for clothing alone
        assert all((" disabled>" in step(html, name)) == (name == "ground") for html in steps.values())
    assert all(html.count('name="step"') == len(SWITCHES) for html in steps.values())
