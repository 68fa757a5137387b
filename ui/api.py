"""What the page offers over HTTP and as tools of an MCP server: `/compare` and `/models`.

Annotations are not postponed here: gradio makes the types of the answers from them.
"""

import dataclasses
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypedDict

import gradio as gr
import numpy as np
from anyio import to_thread

from cnn_models import ARCHITECTURES, DATASETS, ModelHub, predict
from cnn_models.analysis.attribution import explain as explain_network
from cnn_models.analysis.robustness import CORRUPTIONS, corrupted, measure_robustness
from cnn_models.analysis.test_errors import nearest_misclassified, predictions_of
from cnn_models.analysis.tta import multi_crop
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.hub.errors import DownloadPending
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.images.preprocess import SWITCHES
from cnn_models.images.worker import decode_untrusted
from cnn_models.specs import Card
from cnn_models.visitors import VISITOR, map_in_context
from ui.common.reading import all_known, fields, flag, items, known
from ui.common.recipe import split_texts
from ui.common.sketchpad import uploaded
from ui.common.texts import say
from ui.compare.alike import SHOWN
from ui.compare.steps import data_url, enlarged
from ui.server.turns import Turns

PATIENCE = 30  # seconds to wait for weights that are on their way


class Verdict(TypedDict):
    label: str
    votes: dict[str, int]
    unusual: bool
    why: str
    probabilities: dict[str, float]  # the mean of the networks'


class Step(TypedDict):
    name: str
    picture: str  # a PNG as a data URL
    box: list[int]  # left, top, right, bottom; empty where the step finds none


class Breaking(TypedDict):
    amounts: list[float]
    probabilities: list[float]  # of the network's own first answer
    breaks_at: float | None


class Why(TypedDict):
    label: str  # that the heat maps explain
    cam: list[list[float]]  # 28 x 28
    occlusion: list[list[float]]  # 28 x 28
    breaking: dict[str, Breaking]
    looks: dict[str, float]  # the mean of the probabilities
    looks_count: int
    looks_milliseconds: float


class Measured(TypedDict):
    right: int
    count: int


class Input(TypedDict):
    size: int  # pixels along a side
    picture: str  # a PNG as a data URL; the network gets (pixel / 255 - mean) / std
    mean: float
    std: float


class Model(TypedDict):
    id: str
    label: str
    probabilities: dict[str, float]
    margin: float
    milliseconds: float
    unusual: bool
    source: str
    measured: Measured | None  # of a network of others: how many of the bundled test images it gets right
    temperature: float
    entropy: float  # bits
    uncalibrated: dict[str, float]  # probabilities without the temperature
    input: Input | None
    why: Why | None


class Mistake(TypedDict):
    number: int  # within the test set
    label: str  # what it is
    said: dict[str, str]  # by checkpoint id


class Answer(TypedDict):
    dataset: str
    verdict: Verdict
    models: list[Model]
    steps: list[Step]
    mistakes: list[Mistake]


def endpoints(hub: ModelHub, turns: Turns, slow: Turns) -> None:
    """Both endpoints, on the page that is being built."""
    gr.api(compare_function(hub, turns, slow), api_name="compare")
    gr.api(models_function(hub), api_name="models")


def compare_function(hub: ModelHub, turns: Turns, slow: Turns) -> Callable[..., Awaitable[Answer]]:
    """`/compare` over the networks of a hub: one of the `turns`, and a `slow` one to explain each network."""

    async def compare(
        image: gr.FileData,
        dataset: str = next(iter(DATASETS)),
        models: list[str] | None = None,
        steps: bool = False,
        explain: bool = False,
        off: list[str] | None = None,
        label: str = "",
    ) -> Answer:
        """Compare classic CNNs on one image: what each network reads in it, with probabilities and a common verdict.

        Args:
            image: any image, as a file, an http or https address, or a data URL.
            dataset: mnist (digits) or fashion_mnist (clothing).
            models: architecture names or checkpoint ids, those of others as owner/lenet5.mnist@revision; empty for all.
            steps: also the images of the preprocessing, step by step, and each network's own input.
            explain: also why: heat maps, what breaks each answer, many looks, the closest mistakes; takes seconds.
            off: steps of the preprocessing to leave out: orientation, polarity, ink, scale, centre, normalisation.
            label: the class that the heat maps explain; empty for each network's own answer.
        """
        try:
            # gradio hands on what was sent, whatever its type is, and a file as a dictionary.
            dataset, steps, explain = known(dataset, DATASETS), flag(steps or False), flag(explain or False)
            models, off = items(models or []), all_known(off or [], SWITCHES)
            label = known(label, DATASETS[dataset].classes) if label else ""
            ids, path = predict.ids_of(models, dataset), uploaded(fields(image, {}).get("path"))
            grey = await to_thread.run_sync(decode_untrusted, path, off)
            await to_thread.run_sync(arrive, hub, ids or predict.ids_of(list(ARCHITECTURES), dataset))
            async with turns.turn(VISITOR.get()):
                result = await to_thread.run_sync(predict.compare_decoded, grey, dataset, ids, hub, off)
                answer = await to_thread.run_sync(answer_of, hub, result, steps, off)
            if explain:
                for model in answer["models"]:
                    reasons = partial(why, result=result, label=label or model["label"], off=off)
                    async with slow.turn(VISITOR.get()):
                        model["why"] = await to_thread.run_sync(hub.run, model["id"], reasons)
                async with turns.turn(VISITOR.get()):
                    answer["mistakes"] = await to_thread.run_sync(mistakes, hub, result)
            return answer
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return compare


def answer_of(hub: ModelHub, result: predict.Comparison, steps: bool, off: Collection[str]) -> Answer:
    """The answer without reasons; with `steps`, those of the preprocessing and the networks' inputs."""
    answer = result.to_dict() | {"steps": [], "mistakes": []}
    for model in answer["models"]:
        given = partial(given_to, grid=result.image, off=off)
        model |= {"input": hub.run(model["id"], given) if steps else None, "why": None}
    for step in result.steps if steps else ():
        answer["steps"].append({"name": step.name, "picture": data_url(step.image), "box": list(step.box or ())})
    return answer


def arrive(hub: ModelHub, ids: Sequence[str]) -> None:
    """Wait until none of these is on its way from the Hub any more, for at most `PATIENCE` seconds."""

    def is_coming(id: str) -> bool:
        try:
            hub.folder(id)
        except DownloadPending:
            return True
        except CheckpointError:
            pass  # as the comparison will say
        return False

    if hub.namespace or any("/" in id for id in ids):
        until = time.monotonic() + PATIENCE
        with ThreadPoolExecutor() as pool:
            while any(map_in_context(pool, is_coming, ids)) and time.monotonic() < until:
                pass  # each of them has waited


def given_to(loaded: LoadedModel, grid: np.ndarray, off: Collection[str]) -> Input:
    """What a network is given of a 28 x 28 uint8 image."""
    card = loaded.without(off).card
    image = data_url(enlarged(grid, card.input_size))
    return {"size": card.input_size, "picture": image, "mean": card.mean, "std": card.std}


def why(loaded: LoadedModel, result: predict.Comparison, label: str, off: Collection[str]) -> Why:
    """Why a network gives its answer to the image of a comparison. Raises ValueError for an unknown label."""
    loaded = loaded.without(off)
    heat, looks = explain_network(loaded, result.image, label), multi_crop(loaded, result.image)
    broken = measure_robustness(loaded, corrupted(result.image))
    return {
        "label": label,
        "cam": heat.cam.tolist(),
        "occlusion": heat.occlusion.tolist(),
        "breaking": {
            name: {
                "amounts": list(CORRUPTIONS[name].severities),
                "probabilities": list(each.probabilities),
                "breaks_at": each.changes_at,
            }
            for name, each in broken.items()
        },
        "looks": looks.probabilities,
        "looks_count": looks.crops,
        "looks_milliseconds": looks.milliseconds,
    }


def mistakes(hub: ModelHub, result: predict.Comparison) -> list[Mistake]:
    """The test images nearest to the one compared on which the evaluated networks in `weights/` go wrong likewise."""
    answers, classes = predictions_of(hub, result.dataset), DATASETS[result.dataset].classes
    ids = {f"{name}.{result.dataset}": name for name in answers.predicted}
    says = {ids[model.id]: classes.index(model.label) for model in result.models if model.id in ids}
    groups = nearest_misclassified(answers, says, result.image) if says else {}
    numbers = [int(number) for group in groups.values() for number in group]
    return [
        {
            "number": number,
            "label": classes[answers.labels[number]],
            "said": {f"{name}.{result.dataset}": classes[answers.predicted[name][number]] for name in says},
        }
        for number in numbers[:SHOWN]
    ]


def _split(card: Card) -> str:
    """Which images trained and validated a network, as a sentence."""
    texts = split_texts(card.split, card.recipe.get("teachers", ()))
    return "".join(say("en", key, **values) for key, values in texts)


def models_function(hub: ModelHub) -> Callable[[], dict[str, dict]]:
    """`/models` over the cards of a hub."""

    def models() -> dict[str, dict]:
        """The checkpoints that can be compared, each with its card."""
        return {id: dataclasses.asdict(card) | {"split": _split(card)} for id, card in hub.known().items()}

    return models
