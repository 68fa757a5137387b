"""`/compare`, `/batch` and `/models` over HTTP."""

import base64
import io
import json
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import anyio
import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image, ImageDraw, ImageOps

from cnn_models import DATASETS, ModelHub
from cnn_models.images.preprocess import FORM_STEPS, SWITCHES
from cnn_models.predict import Prediction
from ui.common.sketchpad import sample
from ui.compare.steps import data_url


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False)


def drawn_seven(corner=(60, 60)):
    """A seven of 300 x 300, dark on light."""
    image = Image.new("L", (300, 300), 255)
    x, y = corner
    ImageDraw.Draw(image).line([(x, y), (x + 110, y), (x + 50, y + 150)], fill=20, width=20, joint="curve")
    return image


def bag():
    """A Fashion-MNIST test image like a photo: enlarged, dark on light."""
    image = Image.open("ui/common/samples/fashion_mnist.8.png").resize((280, 280), Image.Resampling.BICUBIC)
    return ImageOps.expand(ImageOps.invert(image), 10, fill=255)


@pytest.mark.parametrize(
    ("dataset", "label", "image"),
    [
        ("mnist", "7", drawn_seven()),
        ("mnist", "7", ImageOps.invert(drawn_seven())),
        ("mnist", "7", drawn_seven((15, 10))),
        ("mnist", "7", drawn_seven((175, 135))),
        ("fashion_mnist", "Bag", Image.open("ui/common/samples/fashion_mnist.8.png")),
        ("fashion_mnist", "Bag", bag()),
        ("fashion_mnist", "Bag", ImageOps.expand(bag(), (150, 200, 0, 0), fill=255)),
    ],
    ids=["dark", "bright", "top left", "bottom right", "test image", "photo", "photo in a corner"],
)
def test_compare_reads_images_of_any_polarity_and_position(client, tmp_path, dataset, label, image):
    image.save(tmp_path / "picture.png")
    answer = client.predict(handle_file(tmp_path / "picture.png"), dataset, [], api_name="/compare")
    assert set(answer) == {"dataset", "verdict", "models", "digits", "log_linear", "steps", "mistakes"}
    assert answer["steps"] == answer["mistakes"] == [] and answer["dataset"] == dataset
    assert set(answer["verdict"]) == {"label", "votes", "unusual", "why", "probabilities"}
    assert answer["verdict"]["label"] == answer["log_linear"]["label"] == label
    assert answer["log_linear"]["factors"].keys() == {model["id"] for model in answer["models"]}
    assert sum(answer["verdict"]["votes"].values()) == len(answer["models"]) >= 3
    for model in answer["models"]:
        assert set(model) == set(Prediction.__annotations__) | {"entropy", "uncalibrated", "input", "why"}
        assert model["input"] is model["why"] is None
        assert tuple(model["probabilities"]) == DATASETS[dataset].classes
        assert sum(model["probabilities"].values()) == pytest.approx(1)
        assert model["margin"] > 0 and model["milliseconds"] > 0
        assert 0 <= model["entropy"] < 3.33 and sum(model["uncalibrated"].values()) == pytest.approx(1)


def test_curl_may_leave_out_the_last_arguments(url, tmp_path):
    """As in the README: upload, call, read the events."""
    drawn_seven().save(tmp_path / "seven.png")
    at = f"{url.rstrip('/')}/gradio_api"
    with httpx.Client(timeout=60) as curl:
        path = curl.post(f"{at}/upload", files={"files": (tmp_path / "seven.png").open("rb")}).json()[0]
        image = {"path": path, "meta": {"_type": "gradio.FileData"}}
        for data in ([image], [image, "mnist", []], [image, "mnist", ["lenet5"], True, True, ["scale"]]):
            event = curl.post(f"{at}/call/compare", json={"data": data}).json()["event_id"]
            kind, answer = curl.get(f"{at}/call/compare/{event}").text.strip().split("\n")
            assert kind == "event: complete"
            assert json.loads(answer.removeprefix("data: "))[0]["verdict"]["label"] == "7"


def test_models_keep_the_requested_order(client, tmp_path):
    drawn_seven().save(tmp_path / "seven.png")
    names = ["mini_resnet", "lenet5.mnist"]
    answer = client.predict(handle_file(tmp_path / "seven.png"), "mnist", names, api_name="/compare")
    assert [model["id"] for model in answer["models"]] == ["mini_resnet.mnist", "lenet5.mnist"]


@pytest.mark.parametrize(
    ("content", "dataset", "models", "sentence"),
    [
        (b"not an image", "mnist", [], "image"),
        ("blank", "mnist", [], "blank|empty"),
        ("seven", "letters", [], "known are mnist, fashion_mnist"),
        ("seven", "mnist", ["vgg16"], "known are lenet5.mnist"),
        ("seven", "mnist", ["lenet5", "lenet5"], "named twice"),
        ("seven", "mnist", ["someone/lenet5.mnist"], "is not in the Hub's cache and HF_HUB_OFFLINE is set"),
        ("seven", "mnist", ["someone/vgg16.mnist"], "is not a checkpoint; known are"),
        ("seven", "mnist", [f"user{n}/lenet5.mnist" for n in range(5)], "5 third-party networks are too many at once"),
    ],
)
def test_bad_input_gets_a_sentence(client, tmp_path, content, dataset, models, sentence):
    if isinstance(content, str):
        buffer = io.BytesIO()
        (drawn_seven() if content == "seven" else Image.new("L", (100, 100), 255)).save(buffer, "PNG")
        content = buffer.getvalue()
    (tmp_path / "picture.png").write_bytes(content)
    with pytest.raises(AppError, match=sentence):
        client.predict(handle_file(tmp_path / "picture.png"), dataset, models, api_name="/compare")


def test_models_lists_the_cards(client):
    listed = client.predict(api_name="/models")
    sentence = "trained on the first 55,000 training images, validated on the last 5,000"
    assert listed["alexnet.mnist"]["split"] == sentence
    assert listed["lenet5.mnist"]["split"] == f"{sentence}, distilled from mini_resnet.mnist"
    cards = {id: json.loads(card.to_json()) for id, card in ModelHub().cards().items()}
    assert listed == {id: card | {"split": listed[id]["split"]} for id, card in cards.items()}


def test_steps_and_explanations_on_request(client, tmp_path):
    drawn_seven((15, 10)).save(tmp_path / "seven.png")
    image = handle_file(tmp_path / "seven.png")
    answer = client.predict(image, "mnist", ["lenet5"], True, True, api_name="/compare")
    assert [step["name"] for step in answer["steps"]] == ["decoded", *FORM_STEPS]
    assert all(step["picture"].startswith("data:image/png;base64,") for step in answer["steps"])
    why = answer["models"][0]["why"]
    assert why["label"] == "7" and len(why["cam"]) == len(why["occlusion"]) == len(why["cam"][0]) == 28
    assert why["breaking"]["rotate"]["amounts"][-1] == 90 and why["looks_count"] == 24
    assert {mistake["said"]["lenet5.mnist"] for mistake in answer["mistakes"]} == {"7"}
    assert "7" not in {mistake["label"] for mistake in answer["mistakes"]}
    off = client.predict(image, "mnist", ["lenet5"], False, False, ["scale", "centre"], api_name="/compare")
    assert off["models"][0]["probabilities"] != answer["models"][0]["probabilities"]
    with pytest.raises(AppError, match=", ".join(SWITCHES)):
        client.predict(image, "mnist", [], False, False, ["x"], api_name="/compare")


def test_inputs_and_the_explained_class(client, tmp_path):
    Image.open("ui/common/samples/mnist.7.png").save(tmp_path / "seven.png")
    call = partial(client.predict, handle_file(tmp_path / "seven.png"), "mnist", api_name="/compare")
    answer = call(["lenet5", "googlenet"], steps=True)
    for model, side in zip(answer["models"], (28, 96), strict=True):
        seen = model["input"]
        assert (seen["size"], seen["mean"], seen["std"]) == (side, 0.1307, 0.3081)
        image = Image.open(io.BytesIO(base64.b64decode(seen["picture"].partition(",")[2])))
        assert image.size == (side, side)
        if side == 28:
            assert image.tobytes() == Image.open("ui/common/samples/mnist.7.png").tobytes()
    (off,) = call(["lenet5"], steps=True, explain=True, off=["normalisation"])["models"]
    assert (off["input"]["mean"], off["input"]["std"]) == (0, 1)
    assert off["probabilities"] != answer["models"][0]["probabilities"]
    assert off["why"]["breaking"]["shift"]["probabilities"][0] == pytest.approx(
        off["probabilities"][off["label"]], rel=1e-4
    )
    seven, three = (call(["lenet5"], explain=True, label=label)["models"][0]["why"] for label in ("", "3"))
    assert (seven["label"], three["label"]) == ("7", "3") and seven["cam"] != three["cam"]
    with pytest.raises(AppError, match="unknown name 'Bag'; known are 0, 1"):
        call(["lenet5"], explain=True, label="Bag")


def test_the_response_is_typed(client):
    returned = client.view_api(return_format="dict")["named_endpoints"]["/compare"]["returns"][0]["type"]
    assert set(returned["properties"]) == {"dataset", "verdict", "models", "digits", "log_linear", "steps", "mistakes"}
    model = returned["properties"]["models"]["items"]["properties"]
    assert model["probabilities"]["additionalProperties"] == {"type": "number"}


def test_mcp_has_tools_with_descriptions_of_all_arguments(url):
    pytest.importorskip("mcp", reason="the app offers tools where gradio[mcp] is installed")
    with urllib.request.urlopen(f"{url.rstrip('/')}/gradio_api/mcp/schema") as answer:
        tools = {tool["name"]: tool for tool in json.load(answer)}
    assert set(tools) == {"adversarial", "batch", "compare", "models"} and all(
        tool["description"] for tool in tools.values()
    )
    names = ("compare", "batch", "adversarial")
    compare, batch, adversarial = (tools[name]["inputSchema"]["properties"] for name in names)
    assert set(adversarial) == {"image", "dataset", "attacked", "norm", "target", "models"}
    assert set(compare) == {"image", "dataset", "models", "steps", "explain", "off", "label"}
    assert set(batch) == {"images", "dataset", "models"}
    assert all(
        each["description"].endswith(".") for each in (*compare.values(), *batch.values(), *adversarial.values())
    )


def test_a_client_of_mcp_compares(url):
    mcp = pytest.importorskip("mcp", reason="the app offers tools where gradio[mcp] is installed")
    from mcp.client.streamable_http import streamable_http_client

    async def call():
        address = f"{url.rstrip('/')}/gradio_api/mcp/"
        async with streamable_http_client(address) as (read, write, _), mcp.ClientSession(read, write) as session:
            await session.initialize()
            image = data_url(Image.open("ui/common/samples/mnist.7.png"))
            return await session.call_tool("compare", {"image": image, "dataset": "mnist", "models": ["lenet5"]})

    with ThreadPoolExecutor(1) as pool:  # this thread may run the event loop of a browser
        result = pool.submit(anyio.run, call).result()
    assert not result.isError and "'label': '7'" in result.content[0].text


@pytest.fixture
def zipped(tmp_path):
    """A function that writes a zip of files with these contents."""

    def write(contents: dict[str, bytes]) -> dict:
        with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
        return handle_file(tmp_path / "mine.zip")

    return write


def test_a_zip_of_images_is_compared_with_the_labels_that_it_has(client, zipped, tmp_path):
    samples = {label: sample("mnist", index).read_bytes() for index, label in enumerate(DATASETS["mnist"].classes)}
    contents = {f"{label}/a.png": content for label, content in samples.items()}
    images = zipped(contents | {"8/b.png": samples["3"], "x.png": b"no image"})
    found = client.predict(images, "mnist", ["mini_resnet", "lenet5"], api_name="/batch")
    rows = {row["file"]: row for row in found["rows"]}
    assert list(rows) == sorted([*contents, "8/b.png", "x.png"]) and found["labels"] == "folders"
    (tmp_path / "7.png").write_bytes(samples["7"])
    alone = client.predict(handle_file(tmp_path / "7.png"), "mnist", ["mini_resnet", "lenet5"], api_name="/compare")
    seven = rows["7/a.png"]
    assert (seven["label"], seven["prediction"], seven["votes"]) == ("7", alone["verdict"]["label"], 2)
    assert list(seven["models"]) == ["mini_resnet.mnist", "lenet5.mnist"]
    for model in alone["models"]:
        confidence = model["probabilities"][model["label"]]
        assert seven["models"][model["id"]] == {
            "label": model["label"],
            "confidence": pytest.approx(confidence, abs=1e-5),
        }
    assert "not an image" in rows["x.png"]["refused"] and not rows["x.png"]["models"]
    assert found["agreed"] == 11 and set(found["scores"]) == {"mini_resnet.mnist", "lenet5.mnist", "vote"}
    for score in found["scores"].values():
        assert (score["right"], score["count"]) == (10, 11) and score["confusion"][8][3] == 1


@pytest.mark.parametrize(
    ("contents", "dataset", "models", "sentence"),
    [
        ({}, "mnist", [], "There are no images in mine.zip"),
        (dict.fromkeys([f"{number}.png" for number in range(201)], b""), "mnist", [], "more than 200 images"),
        ({"a.png": b"", "labels.csv": b"file,label\na.png,x\n"}, "mnist", [], "'x' is not a class"),
        ({"a.png": b""}, "letters", [], "known are mnist, fashion_mnist"),
        ({"a.png": b""}, "mnist", ["vgg16"], "known are lenet5.mnist"),
    ],
)
def test_a_bad_zip_gets_a_sentence(client, zipped, contents, dataset, models, sentence):
    with pytest.raises(AppError, match=sentence):
        client.predict(zipped(contents), dataset, models, api_name="/batch")


def test_an_image_in_place_of_a_zip_gets_a_sentence(client):
    with pytest.raises(AppError, match="neither a folder nor a whole zip") as caught:
        client.predict(handle_file(sample("mnist", 7)), "mnist", [], api_name="/batch")
    assert "/" not in str(caught.value)


def test_only_these_endpoints_are_public(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert set(endpoints) == {"/adversarial", "/batch", "/compare", "/models"}
    assert [p["parameter_name"] for p in endpoints["/compare"]["parameters"]] == [
        "image", "dataset", "models", "steps", "explain", "off", "label",
    ]  # fmt: skip


def test_an_attack_changes_the_prediction_by_a_small_change(client):
    image = handle_file(sample("mnist", 7))
    call = partial(client.predict, image, "mnist", api_name="/adversarial")
    found = call("lenet5", "linf", "", ["mini_resnet"])
    assert (found["attacked"], found["norm"]) == ("lenet5.mnist", "linf")
    assert list(found["models"]) == ["lenet5.mnist", "mini_resnet.mnist"]
    labels = [found["models"]["lenet5.mnist"][when]["label"] for when in ("before", "after")]
    assert labels[0] == "7" != labels[1]
    levels = [255 * each for row in found["change"] for each in row]
    assert 255 * found["perturbation_norm"] == pytest.approx(max(map(abs, levels)), rel=1e-4)
    assert levels == pytest.approx(list(map(round, levels)), abs=1e-3)
    aimed = call("lenet5", "l2", "3", ["mini_resnet"])
    assert aimed["models"]["lenet5.mnist"]["after"]["label"] == "3"
    for arguments, sentence in (
        (["vgg16"], "known are lenet5.mnist"),
        (["lenet5", "l1"], "norm: unknown name 'l1'; known are l2, linf"),
        (["lenet5", "l2", "Bag"], "target: unknown name 'Bag'"),
        (["lenet5.fashion_mnist"], "is not of mnist"),
        (["a/lenet5.mnist", "l2", "", [f"b/lenet5.mnist@{each:040x}" for each in range(4)]], "5 third-party networks"),
    ):
        with pytest.raises(AppError, match=sentence):
            call(*arguments)


def test_of_several_digits_the_first_is_attacked(client, tmp_path):
    sheet = Image.new("L", (600, 300), 255)
    sheet.paste(drawn_seven().crop((20, 0, 220, 300)), (40, 0))
    ImageDraw.Draw(sheet).line([(450, 60), (450, 220)], fill=20, width=20)
    sheet.save(tmp_path / "sheet.png")
    found = client.predict(
        handle_file(tmp_path / "sheet.png"), "mnist", "lenet5", "l2", "", ["lenet5.mnist"], api_name="/adversarial"
    )
    assert found["models"].keys() == {"lenet5.mnist"} and found["models"]["lenet5.mnist"]["before"]["label"] == "7"
