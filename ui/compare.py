"""The Compare tab, and the same over HTTP: `/compare` and `/models`."""

from __future__ import annotations

import dataclasses
from html import escape

import gradio as gr

from cnn_models import ARCHITECTURES, DATASETS, ModelHub, predict
from cnn_models.checkpoint import CheckpointError
from cnn_models.decode import PictureError
from cnn_models.hub import MissingCheckpoint
from cnn_models.layers import architecture_layers
from cnn_models.preprocess import BlankPicture
from ui.board import board, seen, sentence
from ui.sketchpad import picture_of, sample_strip, samples, sketchpad, uploaded

EMPTY = "The canvas is empty: draw {what}, or take a picture."
WHAT = {"digits": "a digit", "clothing": "a piece of clothing"}


def verdict(text: str, alarm: bool = False) -> str:
    return f"<p class='verdict{' verdict-alarm' if alarm else ''}' role='status'>{escape(text)}</p>"


def compare_tab(hub: ModelHub) -> None:
    """Everything on the tab, its events, and the two public endpoints."""
    sizes = {name: architecture_layers(name).parameters for name in ARCHITECTURES}
    first = next(iter(DATASETS))

    def missing(dataset: str, models: list[str], load: bool) -> dict[str, str]:
        """A sentence for each network that cannot answer, by architecture; whether it can be loaded if so asked."""
        found = {}
        for name in models:
            try:
                (hub.get if load else hub.card)(f"{name}.{dataset}")
            except MissingCheckpoint as error:
                note = f"`python -m training.train {name}.{dataset}` trains it"
                found[name] = str(error) if hub.namespace else note
            except CheckpointError as error:
                found[name] = str(error)
        return found

    def answer(value: object, dataset: str, models: list[str]) -> tuple[str, str, str]:
        """What the tab shows for a sketchpad value: verdict, 28×28 picture and board, as HTML."""
        chosen = [name for name in ARCHITECTURES if name in models]
        absent = missing(dataset, chosen, load=bool(value))
        ready = [name for name in chosen if name not in absent]
        nothing = seen(None), board(dataset, chosen, sizes, absent, {})
        try:
            picture = picture_of(value)
            if picture is None:
                return verdict(EMPTY.format(what=WHAT[DATASETS[dataset].kind])), *nothing
            if not ready:
                return verdict("No network can answer: choose one that is trained.", alarm=True), *nothing
            result = predict.compare(picture, dataset, ready, hub)
        except BlankPicture:
            return verdict(EMPTY.format(what=WHAT[DATASETS[dataset].kind])), *nothing
        except (PictureError, CheckpointError) as error:
            return verdict(str(error), alarm=True), *nothing
        answers = {name: each for name, each in zip(ready, result.models, strict=True)}
        return verdict(sentence(result)), seen(result.picture), board(dataset, chosen, sizes, absent, answers)

    def compare(image: gr.FileData, dataset: str = first, models: list[str] | None = None) -> dict:
        """Compare classic CNNs on one picture: what each network reads in it, with probabilities and a common verdict.

        Args:
            image: any picture, as a file.
            dataset: mnist (digits) or fashion_mnist (clothing).
            models: architecture names or checkpoint ids, those of others as owner/lenet5.mnist@revision; empty for all.
        """
        try:
            # gradio hands the file on as the dictionary that was sent.
            return predict.compare(uploaded((image or {}).get("path")), dataset, models or (), hub).to_dict()
        except (ValueError, TypeError) as error:
            raise gr.Error(str(error), print_exception=False) from error

    def models() -> dict:
        """The checkpoints that can be compared, each with its card."""
        return {id: dataclasses.asdict(card) for id, card in hub.cards().items()}

    with gr.Row(elem_id="compare-row"):
        with gr.Column(scale=0, min_width=320):
            dataset = gr.Radio(
                [(spec.kind.capitalize(), name) for name, spec in DATASETS.items()],
                value=first,
                show_label=False,
                container=False,
                elem_id="dataset",
            )
            pad = sketchpad()
            strip = sample_strip(first)
            glimpse = gr.HTML(seen(None), elem_id="seen", apply_default_css=False)
        with gr.Column(scale=1):
            text, _, table = answer("", first, list(ARCHITECTURES))
            line = gr.HTML(text, elem_id="verdict", apply_default_css=False)
            lineup = gr.HTML(table, elem_id="lineup", apply_default_css=False)
            chosen = gr.CheckboxGroup(
                [(spec.title, name) for name, spec in ARCHITECTURES.items()],
                value=list(ARCHITECTURES),
                show_label=False,
                container=False,
                elem_id="models",
            )

    event = {
        "inputs": [pad, dataset, chosen],
        "outputs": [line, glimpse, lineup],
        "queue": False,
        "show_progress": "hidden",
        "trigger_mode": "always_last",
        "api_visibility": "private",
    }
    pad.input(answer, **event)
    chosen.input(answer, **event)
    dataset.input(answer, **event)
    dataset.input(samples, dataset, strip, queue=False, show_progress="hidden", api_visibility="private")
    gr.api(compare, api_name="compare")
    gr.api(models, api_name="models")
