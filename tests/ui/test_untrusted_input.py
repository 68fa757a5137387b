"""Untrusted input: each function and event in `/config` responds to any value, or refuses it in a sentence.

New functions and events are tested without changes here.
"""

import base64
import inspect
import json
import re
import tempfile
import time
from collections.abc import Iterator
from functools import partial, reduce

import gradio as gr
import httpx
import pytest

from cnn_models import DATASETS, create_model
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.errors import TranslatableError, UnknownName, quoted
from cnn_models.images.decode import ImageError
from tests.conftest import ROOT, run_async
from ui.api import compare_function
from ui.common import uploads
from ui.common.sketchpad import PNG, SAMPLES, UPLOAD, sample, uploaded
from ui.server.turns import Turns
from ui.tabs import build

SEVEN = PNG + base64.b64encode(sample("mnist", 7).read_bytes()).decode()
FILE = {"meta": {"_type": "gradio.FileData"}}
# All fields of the requests to server functions.
GOOD = {
    "image": "", "dataset": "mnist", "models": ["lenet5"], "language": "en", "calibrated": True, "sort": "year",
    "log_linear": True,
    "off": [], "quick": False, "drawing": False, "label": "", "part": "heat", "says": {"lenet5": 5}, "truth": 0,
    "first": "lenet5", "second": "lenet5", "id": "nobody/lenet5.mnist", "there": [], "digit": 0, "turn": 0,
    "images": [], "zip": "", "start": 0, "answers": [],
}  # fmt: skip
DEPTH = 10_000
VALUES = [
    None, True, False, 0, 5, -1, 3.5, 1e308, float("nan"), float("inf"), -float("inf"), 10**30,
    "", "5", "x", "null", "lenet5", "MNIST", "./mnist", "././mnist", "../../etc/passwd", "/proc/self/environ",
    "http://127.0.0.1:1/", "mnist\0", "\ud800", "\udcff/x", "é中文", "%s%n{0}{name}", "a" * 300, "a" * 100_000,
    "," * 100_000, "<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>", f"{PNG}é", f"{PNG}====",
    f"{PNG}eA==", UPLOAD, f"{UPLOAD}/etc/passwd", f"{UPLOAD}{'a' * 5000}",
    [], [None], ["x"], [[]], [{}], ["lenet5"] * 2000, [5, "mnist"], [float("nan")],
    {}, {"": ""}, {"path": ""}, {"path": "x", **FILE}, {"path": "/etc/passwd", **FILE}, {"path": None, **FILE}, FILE,
    {"path": 5, **FILE}, {"x": {"y": []}}, {"lenet5": "x"}, {"lenet5": 10**30}, {"lenet5": "right", "x": 1},
]  # fmt: skip
JUNK = [(json.dumps(value), value) for value in VALUES]  # as JSON and as Python
JUNK += [("[" * DEPTH + "]" * DEPTH, reduce(lambda inner, _: [inner], range(DEPTH - 1), []))]
JUNK += [("1e400", float("inf")), ("[" * 500 + "]" * 500, reduce(lambda inner, _: [inner], range(499), []))]
SECRETS = (f"{ROOT}/", f"{tempfile.gettempdir()}/", "site-packages", "Traceback")


def good(component: dict) -> object:
    """A valid value for an input; an invalid image, so that responses are short."""
    usual = {"textbox": "nonsense", "checkboxgroup": [], "number": 1}
    return usual.get(component["type"], component["props"].get("value"))


def filled(values: list) -> Iterator[tuple[int, str, list]]:
    """The values with each kind of junk in the place of each, with the place and the junk as JSON."""
    for place in range(len(values)):
        for text, value in JUNK:
            yield place, text, [*values[:place], value, *values[place + 1 :]]


def is_sentence(text: object) -> bool:
    return isinstance(text, str) and bool(re.search(r"\w+ \w+", text))


@pytest.fixture
def page(checkpoint, hub):
    """The page over a single small network."""
    checkpoint()
    return build(hub)


def called(function, *values: object) -> object:
    """The result of a handler, or the first that it yields."""
    parameters = inspect.signature(function).parameters
    given = {"request": gr.Request(session_hash="x"), "opened": gr.EventData(None, None)}
    found = function(*values, **{name: value for name, value in given.items() if name in parameters})
    if inspect.iscoroutine(found):
        return run_async(lambda: found)
    return next(found) if inspect.isgenerator(found) else found


def test_handlers_raise_nothing_but_what_can_be_translated(page):
    """Without gradio, which refuses some of it before."""
    config, wrong, calls = page.get_config_file(), [], 0
    components = {component["id"]: component for component in config["components"]}

    def call(name: str, function, junk: str, *values: object) -> None:
        nonlocal calls
        calls += 1
        try:
            called(function, *values)
        except (TranslatableError, gr.Error) as error:
            if not is_sentence(str(error)) or len(str(error)) > 1000:
                wrong.append((name, junk[:40], error))
        except Exception as error:
            wrong.append((name, junk[:40], repr(error)[:200]))

    for component in components.values():
        for name in functions(component):
            function = getattr(page.blocks[component["id"]], name)
            for text, value in JUNK:
                call(name, function, text, value)
            for place, text, values in filled(list(GOOD.values())):
                call(f"{name} {list(GOOD)[place]}", function, text, dict(zip(GOOD, values, strict=True)))
    # Several events share a function.
    handlers = {(page.fns[each["id"]].fn.__code__, len(each["inputs"])): each for each in config["dependencies"]}
    for dependency in handlers.values():
        stateful = [number for number in dependency["inputs"] if components[number]["type"] == "state"]
        function, inputs = page.fns[dependency["id"]].fn, [components[number] for number in dependency["inputs"]]
        usual = [page.blocks[each["id"]].value if each["type"] == "state" else good(each) for each in inputs]
        for place, text, values in filled(usual):
            if dependency["inputs"][place] not in stateful:  # which no visitor sends
                call(f"{dependency['id']} {function.__name__} {place}", function, text, *values)
    assert not wrong, f"{len(wrong)} of {calls}: {wrong[:20]}"
    assert load_test_set.cache_info().currsize <= len(DATASETS)


def functions(component: dict) -> list[str]:
    """The names of a component's server functions."""
    return component["props"].get("server_fns") or []


class Visitor:
    """A client that sends any value, and collects the responses that are wrong."""

    def __init__(self, url: str):
        self.wrong: list[tuple] = []
        self.count = 0
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/gradio_api", timeout=60)
        self.config = httpx.get(f"{url.rstrip('/')}/config", timeout=60).json()
        self.components = {component["id"]: component for component in self.config["components"]}
        (self.compare,) = (id for id, each in self.components.items() if "predict" in functions(each))

    def post(self, path: str, body: str, what: object) -> httpx.Response:
        """The response to a text that is sent as JSON; it has to be 200 or a sentence."""
        self.count += 1
        headers = {"Content-Type": "application/json"}
        try:
            answer = self._http.post(path, content=body, headers=headers)
        except httpx.TransportError:  # an error in the answer before has ended the connection
            answer = self._http.post(path, content=body, headers=headers)
        if answer.status_code != 200 and not 400 <= answer.status_code < 500:
            self.wrong.append((what, answer.status_code, answer.text[:100]))
        elif answer.status_code != 200 and not is_sentence(answer.text):
            self.wrong.append((what, "no sentence", answer.text[:100]))
        self.read(answer.text, what)
        return answer

    def judge(self) -> None:
        """Fail if a response was wrong, or if the app does not respond to a valid request any more."""
        wrong, self.wrong = self.wrong, []
        answer = self.ask(self.compare, "predict", json.dumps(GOOD | {"image": SEVEN}), "a digit")
        assert "LeNet-5 reads" in answer.json()["verdict"], self.wrong
        assert not wrong, f"{len(wrong)} of {self.count}: {wrong[:30]}"

    def read(self, text: str, what: object) -> None:
        if found := [secret for secret in SECRETS if secret in text]:
            self.wrong.append((what, "tells", found))

    def ask(self, component: int, function: str, data: str, what: object) -> httpx.Response:
        """The response of a server function."""
        body = {"session_hash": "visitor", "component_id": component, "fn_name": function, "data": None}
        return self.post("component_server", json.dumps(body).replace("null", data, 1), what)

    def send(self, event: dict, data: str, what: object) -> None:
        """An event, at once."""
        self.post("run/predict", f'{{"session_hash": "visitor", "fn_index": {event["id"]}, "data": {data}}}', what)

    def queue(self, event: dict, asked: list[tuple[str, object]]) -> None:
        """An event many times through the queue: each ends, or is refused, in a sentence."""
        session, waiting = f"visitor {event['id']}", {}
        for data, what in asked:
            body = f'{{"session_hash": "{session}", "fn_index": {event["id"]}, "data": {data}}}'
            answer = self.post("queue/join", body, what)
            if answer.status_code == 200:
                waiting[answer.json()["event_id"]] = what
        if not waiting:
            return
        with self._http.stream("GET", "queue/data", params={"session_hash": session}) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data: ") or "{}")
                if message.get("msg") == "process_completed":
                    what = waiting.pop(message["event_id"])
                    self.read(line, what)
                    if not (message["success"] or is_sentence(message["output"].get("error"))):
                        self.wrong.append((what, "no sentence", line[:200]))
                if not waiting:
                    break


@pytest.fixture(scope="module")
def visitor(url):
    return Visitor(url)


def turned(values: list) -> Iterator[tuple[list[str], tuple]]:
    """The values as JSON with each kind of junk in the place of one; the places take turns."""
    texts = list(map(json.dumps, values))
    for number, (text, _) in enumerate(JUNK if texts else ()):
        place = number % len(texts)
        yield [*texts[:place], text, *texts[place + 1 :]], (place, text[:40])


def test_functions_of_components_take_anything(visitor):
    for component in visitor.components.values():
        for name in functions(component):
            for text, _ in JUNK:
                visitor.ask(component["id"], name, text, (name, text[:40]))
            for texts, what in turned(list(GOOD.values())):
                pairs = [f"{json.dumps(key)}: {text}" for key, text in zip(GOOD, texts, strict=True)]
                visitor.ask(component["id"], name, f"{{{', '.join(pairs)}}}", (name, *what))
    visitor.judge()


def test_events_take_anything(visitor):
    for event in visitor.config["dependencies"]:
        asked = [
            (f"[{', '.join(texts)}]", (event["id"], event["targets"], *what))
            for texts, what in turned([good(visitor.components[number]) for number in event["inputs"]])
        ]
        asked += [(data, (event["id"], event["targets"], data[:40])) for data in ("[]", f"[{', '.join(['5'] * 50)}]")]
        if event["queue"]:
            visitor.queue(event, asked)
        for data, what in asked[-2:] if event["queue"] else asked:
            visitor.send(event, data, what)
    visitor.judge()


def test_bodies_take_anything(visitor):
    call = {"session_hash": "visitor", "component_id": visitor.compare, "fn_name": "predict", "data": {}}
    first = next(each for each in visitor.config["dependencies"] if each["inputs"] and not each["queue"])
    data = [good(visitor.components[number]) for number in first["inputs"]]
    event = {"session_hash": "visitor", "fn_index": first["id"], "data": data, "event_data": None, "trigger_id": None}
    for path, body in (("component_server", call), ("run/predict", event), ("queue/join", event)):
        for text in ("", "x", "5", "[]", "{}", "null", '"x"', "[" * DEPTH):
            visitor.post(path, text, (path, text[:40]))
        for field in body:
            rest = {key: value for key, value in body.items() if key != field}
            visitor.post(path, json.dumps(rest), (path, field, "left out"))
            for text, _ in JUNK if field != "data" else ():
                visitor.post(path, f"{json.dumps(rest)[:-1]}, {json.dumps(field)}: {text}}}", (path, field, text[:40]))
    for name in ("postprocess", "get_config", "__init__", "__class__", "props"):
        answer = visitor.post("component_server", json.dumps(call | {"fn_name": name}), name)
        assert answer.status_code != 200, name
    visitor.judge()


@pytest.mark.parametrize("name", ["./mnist", "././mnist", "mnist\0", "../data/mnist", str(SAMPLES / "mnist.7"), "x"])
def test_no_path_is_made_of_a_name(name):
    known = load_test_set.cache_info().currsize
    with pytest.raises(UnknownName, match="known are mnist, fashion_mnist"):
        load_test_set(name)
    with pytest.raises(UnknownName, match="known are lenet5"):
        create_model(name)
    assert load_test_set.cache_info().currsize == known


def test_a_file_that_cannot_be_is_not_uploaded():
    folder = uploads.folder()
    for path in ("", "\0", "\ud800", str(folder), str(folder / ("a" * 5000)), "/etc/passwd", 5, None, [], {}):
        with pytest.raises(ImageError, match="upload it first"):
            uploaded(path)


def test_compare_refuses_in_a_sentence_that_names_the_argument_at_once(hub):
    path = uploads.keep("7.png", sample("mnist", 7).read_bytes())
    compare = compare_function(hub, Turns(2), Turns(1))
    huge = [float("nan"), float("inf"), -1, 10**30, JUNK[-1][1], [1] * 10**6, dict.fromkeys(map(str, range(10**5)))]
    refused = {
        "image": [*huge, 5, "x", [], {"path": ""}, {"path": 5}, {"path": "x" * 10**6}, {"path": "a/" * 10**6}, None],
        "dataset": [*huge, True, 5, "./mnist", [], None],
        "models": [*huge, True, 5, "lenet5", ["lenet5"] * 200_000, [5], ["x" * 10**6], ["x/" * 5000], {"lenet5": 1}],
        "steps": [*huge, "yes", 5],
        "explain": [*huge, "yes", [1]],
        "off": [*huge, True, 5, "ink", [5], ["x" * 10**6], ["ink"] * 200_000],
        "label": [*huge, True, "3" * 10**6, 5, ["3"], "Bag"],
    }
    for name, values in refused.items():
        for value in values:
            what, start = (name, quoted(value)), time.perf_counter()
            with pytest.raises(gr.Error) as caught:
                run_async(partial(compare, **{"image": {"path": path}, name: value}))
            assert time.perf_counter() - start < 0.1, what
            sentence = caught.value.message
            assert is_sentence(sentence) and len(sentence) < 500, what
            assert name in sentence or (name == "models" and "is not a checkpoint" in sentence), (what, sentence)


def test_an_upload_needs_no_folder_that_all_users_share(url):
    """In `url`, gradio's default folder cannot be used."""
    file = ("7.png", sample("mnist", 7).read_bytes())
    assert httpx.post(f"{url}/gradio_api/upload", files={"files": file}).status_code == 200


def test_values_that_a_control_cannot_have_are_refused_by_its_label(visitor):
    checked = 0
    for event in visitor.config["dependencies"]:
        inputs = [visitor.components[number] for number in event["inputs"]]
        for place, component in enumerate(inputs):
            label = component["props"].get("label")
            if label and not event["queue"] and component["type"] in ("checkboxgroup", "radio", "slider"):
                for junk in ("1e400", "-1", str(10**30), '[["x"]]', "[" * 500 + "]" * 500, f"[{'1,' * 5000}1]"):
                    data = [junk if index == place else json.dumps(good(each)) for index, each in enumerate(inputs)]
                    body = f'{{"session_hash": "v", "fn_index": {event["id"]}, "data": [{", ".join(data)}]}}'
                    answer = visitor.post("run/predict", body, (event["id"], label, junk[:40]))
                    assert answer.status_code == 422 and answer.json()["error"].startswith(f"{label}: "), answer.text
                    checked += 1
    assert checked > 100


def test_a_body_with_too_many_values_is_refused_before_it_is_read(visitor):
    for path in ("component_server", "run/predict", "queue/join", "call/compare"):
        start = time.perf_counter()
        answer = visitor.post(path, f'{{"data": [{"1," * 400_000}1]}}', path)
        assert answer.status_code == 422 and "20,000 values" in answer.json()["detail"], path
        assert time.perf_counter() - start < 0.2
