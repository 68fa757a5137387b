"""The endpoints `/compare`, `/batch`, `/adversarial` and `/models`, over HTTP and as tools of an MCP server.

Annotations are not postponed here: gradio reads the types of the responses from them.
"""

import dataclasses
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TypedDict, cast

import gradio as gr
import numpy as np
from anyio import to_thread
from gradio.events import api

from cnn_models import ARCHITECTURES, DATASETS, ModelHub, predict
from cnn_models.analysis.adversarial import NORMS
from cnn_models.analysis.attribution import explain as explain_network
from cnn_models.analysis.robustness import CORRUPTIONS, corrupted, measure_robustness
from cnn_models.analysis.test_errors import nearest_misclassified, predictions_of
from cnn_models.analysis.tta import multi_crop
from cnn_models.attack import Attack, attack
from cnn_models.batch.files import opened
from cnn_models.batch.labels import labels_of
from cnn_models.batch.rows import Row as BatchRow
from cnn_models.batch.rows import batches, compare_images, decode_images
from cnn_models.batch.summary import Summary
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.errors import ImageError
from cnn_models.hub.errors import DownloadPending
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.images.preprocess import SWITCHES, preprocess
from cnn_models.images.steps import Step as ImageStep
from cnn_models.images.worker import read_untrusted
from cnn_models.specs import Card
from cnn_models.visitors import VISITOR, map_in_context
from ui.common.reading import all_known, fields, flag, items, known, text
from ui.common.recipe import split_texts
from ui.common.sketchpad import uploaded
from ui.common.texts import say
from ui.compare.misclassified import SHOWN
from ui.compare.steps import data_url, enlarged
from ui.server.turns import Turns

PATIENCE = 30  # seconds to wait for downloads


class Verdict(TypedDict):
    label: str
    votes: dict[str, int]
    unusual: bool
    why: str
    probabilities: dict[str, float]  # mean over the networks


class Step(TypedDict):
    name: str
    picture: str  # a PNG as a data URL
    box: list[int]  # the first of `boxes`; or empty
    boxes: list[list[int]]  # left, top, right, bottom of what was found, in pixels of the picture
    outline: list[list[int]]  # x, y of the corners of the sheet or the garment; or empty


class Breaking(TypedDict):
    amounts: list[float]
    probabilities: list[float]  # of the original prediction
    breaks_at: float | None


class Why(TypedDict):
    label: str  # the explained class
    cam: list[list[float]]  # 28 x 28
    occlusion: list[list[float]]  # 28 x 28
    breaking: dict[str, Breaking]
    looks: dict[str, float]  # probabilities averaged over the crops
    looks_count: int
    looks_milliseconds: float


class Measured(TypedDict):
    right: int
    count: int


class Input(TypedDict):
    size: int  # pixels along a side
    picture: str  # a PNG as a data URL; the input is (pixel / 255 - mean) / std
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
    measured: Measured | None  # of a third-party network: bundled test images classified correctly
    temperature: float
    entropy: float  # bits
    uncalibrated: dict[str, float]  # probabilities at temperature 1
    input: Input | None
    why: Why | None


class Mistake(TypedDict):
    number: int  # within the test set
    label: str
    said: dict[str, str]  # predictions by checkpoint id


class Reading(TypedDict):
    label: str
    probabilities: dict[str, float]  # mean over the networks


class LogLinear(TypedDict):
    label: str
    probabilities: dict[str, float]
    factors: dict[str, float]  # by checkpoint id


class Answer(TypedDict):
    dataset: str
    verdict: Verdict
    models: list[Model]
    digits: list[Reading]  # from the left, where there are several; the rest is of the first
    log_linear: LogLinear | None  # of exactly the networks that its factors were fitted for
    steps: list[Step]
    mistakes: list[Mistake]


class Guess(TypedDict):
    label: str
    confidence: float


class Row(TypedDict):
    file: str
    label: str  # "" where it is unknown, as for the other texts
    prediction: str  # of most networks
    votes: int
    models: dict[str, Guess]  # by checkpoint id
    warning: str
    refused: str


class Score(TypedDict):
    right: int
    count: int
    confusion: list[list[int]]  # label x prediction, in the data set's order


class Rows(TypedDict):
    dataset: str
    rows: list[Row]
    labels: str  # where they are from: labels.csv, folders or names; "" without any
    agreed: int  # images for which all networks have the same prediction
    scores: dict[str, Score]  # by checkpoint id, and of the vote; of the images with a label


class BeforeAndAfter(TypedDict):
    before: Guess
    after: Guess


class Adversarial(TypedDict):
    dataset: str
    attacked: str
    norm: str
    perturbation_norm: float | None  # on pixels from 0 to 1; None where none was found
    change: list[list[float]]  # 28 x 28, of pixels from 0 to 1, in whole grey levels of 1/255
    models: dict[str, BeforeAndAfter]  # predictions by checkpoint id


def endpoints(hub: ModelHub, turns: Turns, slow: Turns) -> None:
    """Add the endpoints to the page that is being built."""
    api(compare_function(hub, turns, slow), api_name="compare")
    api(batch_function(hub, slow), api_name="batch")
    api(adversarial_function(hub, slow), api_name="adversarial")
    api(models_function(hub), api_name="models")


def compare_function(hub: ModelHub, turns: Turns, slow: Turns) -> Callable[..., Awaitable[Answer]]:
    """`/compare` over the networks of a hub; it takes one of the `turns`, and a `slow` one for each explanation."""

    async def compare(
        image: gr.FileData,
        dataset: str = next(iter(DATASETS)),
        models: list[str] | None = None,
        steps: bool = False,
        explain: bool = False,
        off: list[str] | None = None,
        label: str = "",
    ) -> Answer:
        """Compare classic CNNs on one image: the prediction and probabilities of each network, and a common verdict.

        Args:
            image: any image, as a file, an http or https address, or a data URL.
            dataset: mnist (digits) or fashion_mnist (clothing).
            models: architecture names or checkpoint ids, third-party as owner/lenet5.mnist@revision; empty for all.
            steps: also return the image after each preprocessing step, and the input of each network.
            explain: also return saliency, robustness, TTA and the nearest misclassified test images; takes seconds.
            off: preprocessing steps to skip, such as orientation, sheet, components, ground, ink, scale or centre.
            label: the class that the saliency maps explain; empty for the prediction of each network.
        """
        try:
            # gradio does not check types, and passes a file as a dictionary.
            dataset, off = known("dataset", dataset, DATASETS), all_known("off", off, SWITCHES, [])
            steps, explain = flag("steps", steps, False), flag("explain", explain, False)
            models = [text("models", model) for model in items("models", models, [])]
            label = known("label", label, DATASETS[dataset].classes, "")
            ids, path = predict.ids_of(models, dataset), uploaded(fields("image", image).get("path"))
            decoded = await to_thread.run_sync(read_untrusted, path, off)
            await to_thread.run_sync(wait_for_downloads, hub, ids or predict.ids_of(list(ARCHITECTURES), dataset))
            async with turns.turn(VISITOR.get()):
                result = await to_thread.run_sync(predict.compare_decoded, decoded, dataset, ids, hub, off)
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


def batch_function(hub: ModelHub, slow: Turns) -> Callable[..., Awaitable[Rows]]:
    """`/batch` over the networks of a hub; it takes a `slow` turn for each part of the images."""

    async def batch(images: gr.FileData, dataset: str = next(iter(DATASETS)), models: list[str] | None = None) -> Rows:
        """Compare classic CNNs on all images of a zip: the predictions for each, and accuracy where labels are known.

        Args:
            images: a zip of up to 200 images. Labels are in labels.csv (file, label), folders or names (7_001.png).
            dataset: mnist (digits) or fashion_mnist (clothing).
            models: architecture names or checkpoint ids, third-party as owner/lenet5.mnist@revision; empty for all.
        """
        try:
            dataset = known("dataset", dataset, DATASETS)
            models = [text("models", model) for model in items("models", models, [])]
            ids, path = predict.ids_of(models, dataset), uploaded(fields("images", images).get("path"))
            await to_thread.run_sync(wait_for_downloads, hub, ids or predict.ids_of(list(ARCHITECTURES), dataset))
            with ExitStack() as opening:
                files = await to_thread.run_sync(opening.enter_context, opened(path, public=True))
                async with slow.turn(VISITOR.get()):
                    labels = await to_thread.run_sync(labels_of, files, DATASETS[dataset])
                    ids = ids or await to_thread.run_sync(predict.loadable, dataset, hub)
                summary, rows = Summary(dataset, ids), list[Row]()
                for names in batches(files):
                    found = await to_thread.run_sync(
                        decode_images, names, lambda name: read_untrusted(files.read(name))
                    )
                    async with slow.turn(VISITOR.get()):
                        part = await to_thread.run_sync(compare_images, found, labels.classes, dataset, ids, hub)
                    rows += map(row_of, part)
                    summary.add(*(row.answer for row in part))
            return {
                "dataset": dataset, "rows": rows, "labels": labels.origin if labels.classes else "",
                "agreed": summary.agreed, "scores": scores_of(summary),
            }  # fmt: skip
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return batch


def adversarial_function(hub: ModelHub, slow: Turns) -> Callable[..., Awaitable[Adversarial]]:
    """`/adversarial` over the networks of a hub; it takes a `slow` turn."""

    async def adversarial(
        image: gr.FileData,
        dataset: str = next(iter(DATASETS)),
        attacked: str = next(iter(ARCHITECTURES)),
        norm: str = next(iter(NORMS)),
        target: str = "",
        models: list[str] | None = None,
    ) -> Adversarial:
        """Find the smallest change of an image that changes the prediction of one network, and what others predict.

        Args:
            image: any image, as a file, an http or https address, or a data URL; of several digits, the first counts.
            dataset: mnist (digits) or fashion_mnist (clothing).
            attacked: the architecture name or checkpoint id of the network to attack.
            norm: l2 or linf, in which the change is smallest.
            target: the class that the attacked network is to predict; empty for any other.
            models: architecture names or checkpoint ids, third-party as owner/lenet5.mnist@revision; empty for all.
        """
        try:
            dataset, norm = known("dataset", dataset, DATASETS), known("norm", norm, NORMS)
            classes = DATASETS[dataset].classes
            target = known("target", target, classes, "")
            models = [text("models", model) for model in items("models", models, [])]
            (first,), others = predict.ids_of([text("attacked", attacked)], dataset), predict.ids_of(models, dataset)
            ids = predict.ids_of(list(dict.fromkeys([first, *others])), dataset)  # the limits hold for all together
            path = uploaded(fields("image", image).get("path"))
            decoded = await to_thread.run_sync(read_untrusted, path)
            await to_thread.run_sync(wait_for_downloads, hub, ids)
            async with slow.turn(VISITOR.get()):
                grid = (await to_thread.run_sync(preprocess, decoded, DATASETS[dataset])).images[0]
                if not others:
                    ids = list(dict.fromkeys([first, *await to_thread.run_sync(predict.loadable, dataset, hub)]))
                index = classes.index(target) if target else None
                found = await to_thread.run_sync(attack, hub.run, ids, first, grid, norm, index)
            return adversarial_of(dataset, found)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return adversarial


def adversarial_of(dataset: str, found: Attack) -> Adversarial:
    """An attack in JSON's types."""

    def guess(answer: predict.Prediction) -> Guess:
        return {"label": answer.label, "confidence": answer.probabilities[answer.label]}

    return {
        "dataset": dataset, "attacked": found.attacked, "norm": found.norm,
        "perturbation_norm": found.size if found.found else None, "change": found.change.tolist(),
        "models": {id: {"before": guess(found.before[id]), "after": guess(found.after[id])} for id in found.before},
    }  # fmt: skip


def row_of(row: BatchRow) -> Row:
    """A row in JSON's types."""
    found: Row = {
        "file": row.file, "label": row.label or "", "prediction": "", "votes": 0, "models": {}, "warning": "",
        "refused": "",
    }  # fmt: skip
    if isinstance(row.result, ImageError):
        return {**found, "refused": str(row.result)}
    verdict = row.result.verdict
    guesses: dict[str, Guess] = {
        each.id: {"label": each.label, "confidence": each.probabilities[each.label]} for each in row.result.models
    }
    votes = verdict.votes[verdict.label]
    return {**found, "prediction": verdict.label, "votes": votes, "models": guesses, "warning": verdict.why}


def scores_of(summary: Summary) -> dict[str, Score]:
    """The scores of each network and of the vote."""
    return {
        name: {"right": summary.right(name), "count": summary.count(name), "confusion": counts.tolist()}
        for name, counts in summary.confusion.items()
    }


def answer_of(hub: ModelHub, result: predict.Comparison, steps: bool, off: Collection[str]) -> Answer:
    """The answer without explanations; with `steps`, it has the preprocessing steps and the inputs."""
    answer = cast(Answer, result.to_dict() | {"steps": [], "mistakes": []})
    for model in answer["models"]:
        model["input"] = hub.run(model["id"], partial(input_of, grid=result.image, off=off)) if steps else None
        model["why"] = None
    answer["steps"] = [_step(step) for step in result.steps] if steps else []
    return answer


def _step(step: ImageStep) -> Step:
    boxes, outline = list(map(list, step.boxes)), list(map(list, step.outline))
    box = boxes[0] if boxes else []
    return {"name": step.name, "picture": data_url(step.image), "box": box, "boxes": boxes, "outline": outline}


def wait_for_downloads(hub: ModelHub, ids: Sequence[str]) -> None:
    """Wait until the downloads of these checkpoints are complete, for at most `PATIENCE` seconds."""

    def is_pending(id: str) -> bool:
        try:
            hub.folder(id)
        except DownloadPending:
            return True
        except CheckpointError:
            pass  # raised again by the comparison
        return False

    if hub.namespace or any("/" in id for id in ids):
        until = time.monotonic() + PATIENCE
        with ThreadPoolExecutor() as pool:
            while any(map_in_context(pool, is_pending, ids)) and time.monotonic() < until:
                pass  # `hub.folder` waits


def input_of(loaded: LoadedModel, grid: np.ndarray, off: Collection[str]) -> Input:
    """The input of a network for a 28 x 28 uint8 image."""
    card = loaded.without(off).card
    image = data_url(enlarged(grid, card.input_size))
    return {"size": card.input_size, "picture": image, "mean": card.mean, "std": card.std}


def why(loaded: LoadedModel, result: predict.Comparison, label: str, off: Collection[str]) -> Why:
    """The explanations of a network's prediction in a comparison. Raises ValueError for an unknown label."""
    loaded = loaded.without(off)
    maps, looks = explain_network(loaded, result.image, label), multi_crop(loaded, result.image)
    broken = measure_robustness(loaded, corrupted(result.image))
    return {
        "label": label,
        "cam": maps.cam.tolist(),
        "occlusion": maps.occlusion.tolist(),
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
    """The nearest misclassified test images, for the networks whose test predictions are in `weights/`."""
    answers, classes = predictions_of(hub, result.dataset), DATASETS[result.dataset].classes
    ids = {f"{name}.{result.dataset}": name for name in answers.predicted}
    labels = {ids[model.id]: classes.index(model.label) for model in result.models if model.id in ids}
    groups = nearest_misclassified(answers, labels, result.image) if labels else {}
    numbers = [int(number) for group in groups.values() for number in group]
    return [
        {
            "number": number,
            "label": classes[answers.labels[number]],
            "said": {f"{name}.{result.dataset}": classes[answers.predicted[name][number]] for name in labels},
        }
        for number in numbers[:SHOWN]
    ]


def _split(card: Card) -> str:
    """The training and validation images of a network, as a sentence."""
    texts = split_texts(card.split, card.recipe.get("teachers", ()))
    return "".join(say("en", key, **values) for key, values in texts)


def models_function(hub: ModelHub) -> Callable[[], dict[str, dict]]:
    """`/models` over the cards of a hub."""

    def models() -> dict[str, dict]:
        """The checkpoints that can be compared, each with its card."""
        return {id: dataclasses.asdict(card) | {"split": _split(card)} for id, card in hub.known().items()}

    return models
