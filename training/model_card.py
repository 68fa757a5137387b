"""The README.md of a checkpoint folder: a model card with the metadata that the Hugging Face Hub reads."""

from __future__ import annotations

import dataclasses
import io

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.analysis.ood import MARGIN
from cnn_models.analysis.statistics import calibration_error_by_chance
from cnn_models.checkpoints.evaluation import Evaluation
from cnn_models.layers import architecture_layers
from cnn_models.specs import Card

COLOURS = {"train": "#e69f00", "val": "#0072b2"}

TEMPLATE = """---
{{ card_data }}
---

# {{ network.title }} on {{ dataset.title }}

{{ network.summary }}

{{ network.paper }}, [{{ network.url }}]({{ network.url }}).
Trained from scratch on [{{ dataset.title }}]({{ dataset.url }}) ({{ dataset.paper }}) for
CNN Lineup, whose loader checks names, shapes, types and hash of the weights.

## Figures

| measured on | accuracy | loss |
|---|---:|---:|
{% for name, text in parts if name ~ "_accuracy" in card.metrics -%}
| {{ text }} | {{ "%.2f %% | %.4f" | format(card.metrics[name ~ "_accuracy"], card.metrics[name ~ "_loss"]) }} |
{% endfor %}
Single network, single crop.{{ split }}
{% if evaluation %}
**Calibration.** The logits are divided by the temperature {{ card.temperature }}, {{ fitted }}.
The expected calibration error (15 bins) on the test images is {{ "%.2f" | format(card.metrics.test_ece) }} %
{%- if card.temperature != 1 %}, and
{{ "%.2f" | format(card.metrics.test_ece_uncalibrated) }} % at temperature 1{% endif %}.
{%- if by_chance %} A perfectly calibrated network would have {{ "%.2f" | format(by_chance) }} % by chance.{% endif %}

**Out-of-distribution (OOD) detection.** The AUROC of the energy (Liu et al. 2020), test images against OOD data:
{% for title, value in ood_data -%}
{{ title }} {{ "%.4f" | format(value) }}{{ ", " if not loop.last }}
{%- endfor %}.
{% if card.energy_threshold is none -%}
There is no energy threshold, as there were no validation images to fit it on.
{%- else -%}
The threshold {{ card.energy_threshold }} is exceeded by one in 200 validation images. CNN Lineup reports an image as
OOD from {{ margin }} above it, a margin for drawings.
{%- endif %}

**Recall and confusions**, in test images:

| class | recall | predicted instead |
|---|---:|---|
{% for name, recall, confusions in rows -%}
| {{ name }} | {{ "%.1f %%" | format(recall) }} | {{ confusions }} |
{% endfor %}
`evaluation.json` lists the misclassified images.
{% endif %}
## Layers

| layer | | output | parameters | multiply-accumulates |
|---|---|---|---:|---:|
{% for layer in layers.children -%}
| `{{ layer.name }}` | {{ layer.kind }} | {{ layer.output | join("×") }} | \
{{ "{:,} | {:,}".format(layer.parameters, layer.macs) }} |
{% endfor -%}
| all | | | {{ "{:,} | {:,}".format(layers.parameters, layers.macs) }} |

## Use

`pip install .` in a clone of CNN Lineup makes `cnn_models` importable anywhere.
{% if owner -%}
This downloads the weights when it is first run:
{%- else -%}
Run this where `weights/` is, or set `CNN_WEIGHTS_DIR` to that folder:
{%- endif %}

```python
from cnn_models import ModelHub, compare

print(compare("image.png", "{{ card.dataset }}", models=["{{ id }}"], hub=ModelHub()).verdict)
```

Input: {{ card.input_size }}×{{ card.input_size }} grey images, bright on black, normalised with mean {{ card.mean }}
and standard deviation {{ card.std }}. Classes: {{ card.classes | join(", ") }}.

{% if onnx -%}
Without CNN Lineup, the network runs in onnxruntime, after `pip install onnxruntime pillow` and
`hf download {{ id }} {{ card.id }}.onnx --local-dir .`. The input is N×28×28 uint8, in the form of the data set;
resizing, normalisation and temperature are in the file. The outputs `probabilities` and `logits` are N×10 float32.

```python
import numpy, onnxruntime
from PIL import Image

image = numpy.asarray(Image.open("image.png").convert("L"))[None]  # 1 x 28 x 28, bright on black
session = onnxruntime.InferenceSession("{{ card.id }}.onnx")
print(session.run(["probabilities"], {"image": image})[0])
```

{% endif -%}
## Training

`{{ card.command }}` on commit `{{ card.commit }}` ({{ card.date }}; {{ versions }}).
{%- if card.recipe.interpolated %} Then
`python -m training.interpolate {{ card.id }} --with FOLDER` took {{ card.recipe.interpolated.share }} of
these weights and the rest from earlier ones (WiSE-FT), by the accuracy on the validation images, of the shares that
detect training images of the other data set as OOD as well as the earlier network does.
{%- endif %}

| hyper-parameter | value |
|---|---|
{% for name, value in card.recipe | dictsort if value is not mapping -%}
| {{ name }} | {{ value }} |
{% endfor %}
{% if curves -%}
![Accuracy and loss over the epochs]({{ curves }})

{% endif -%}
`history.csv` has one row per epoch.
{%- if card.snapshots_sha256 %} `snapshots.safetensors` has the weights before the training and after each epoch, in
float16.{% endif %}

## Limits

The network predicts one of its ten classes for any image, and may be confident and wrong. It expects images that are
preprocessed as the data set is (centred, scaled, bright on black; CNN Lineup does so with any image). It is not trained
for other scripts, several objects in one image or cluttered backgrounds. It is meant for teaching and comparison, not
for decisions about people.
"""


def model_card(
    card: Card, evaluation: Evaluation | None = None, curves: str = "", owner: str = "", onnx: bool = False
) -> str:
    """The text of the model card; the Hub's metadata at its top lists the measured test accuracy.

    `evaluation` is None before `training.evaluate`; `curves` is the file name of the training curves, where they are
    published with the card; `owner` is the Hub namespace of a published card; `onnx` is whether an ONNX file is
    published with it.
    """
    network, dataset = ARCHITECTURES[card.architecture], DATASETS[card.dataset]
    results = []
    if "test_accuracy" in card.metrics:
        results.append(
            EvalResult(
                task_type="image-classification",
                dataset_type=dataset.hub_id,
                dataset_name=dataset.title,
                dataset_split="test",
                metric_type="accuracy",
                metric_value=round(card.metrics["test_accuracy"] / 100, 6),
            )
        )
    data = ModelCardData(
        model_name=f"{network.title} on {dataset.title}",
        library_name="pytorch",
        pipeline_tag="image-classification",
        datasets=[dataset.hub_id],
        license="mit",
        tags=["cnn-lineup", network.name],
        metrics=["accuracy"],
        eval_results=results,
    )
    card_text = ModelCard.from_template(
        data,
        template_str=TEMPLATE,
        network=network,
        dataset=dataset,
        card=card,
        id=f"{owner}/{card.id}" if owner else card.id,
        owner=owner,
        curves=curves,
        onnx=onnx,
        layers=architecture_layers(card.architecture, card.input_size),
        versions=", ".join(f"{k} {v}" for k, v in sorted(card.versions.items())),
        parts=(("test", "10,000 test images"), ("val", "validation images")),
        split=_split(card),
        evaluation=evaluation,
        margin=MARGIN,
        fitted=_fitted(card),
        by_chance=calibration_error_by_chance(evaluation.reliability[1])
        if evaluation and evaluation.reliability
        else 0,
        ood_data=[
            (DATASETS[name].title if name in DATASETS else name, value)
            for key, value in card.metrics.items()
            if (name := key.removeprefix("auroc_")) != key
        ],
        rows=_rows(card, evaluation) if evaluation else (),
    )
    return str(card_text).rstrip() + "\n"


def _split(card: Card) -> str:
    """A sentence on training and validation set, after a space; "" where the card has no split."""
    train, validation, extra = dataclasses.astuple(card.split)
    if not train:
        return ""
    images = f"the first {train:,} training images" if validation else f"all {train:,} training images"
    validated = f"the last {validation:,}" if validation else "the test set"
    drawings = f" and {extra:,} labelled drawings" if extra else ""
    teachers = f", distilled from {' and '.join(teachers)}" if (teachers := card.recipe.get("teachers")) else ""
    return f" Trained on {images}{drawings}, validated on {validated}{teachers}."


def _fitted(card: Card) -> str:
    """How the temperature was chosen, after a comma."""
    if not card.recipe.get("held_out"):
        return "without validation images"
    if card.temperature != card.energy_scale:
        return f"as {card.fitted_temperature} lowers the validation loss by less than two standard errors"
    return "fitted on the validation images"


def _rows(card: Card, evaluation: Evaluation) -> list[tuple[str, float, str]]:
    """Per class: its name, the recall in percent, and the wrong predictions with counts, most frequent first."""
    rows = []
    for index, (name, counts) in enumerate(zip(card.classes, evaluation.confusion, strict=True)):
        wrong = [(count, other) for other, count in zip(card.classes, counts, strict=True) if count and other != name]
        wrong.sort(key=lambda pair: -pair[0])
        rows.append((name, evaluation.accuracies[index], ", ".join(f"{other} ({count})" for count, other in wrong)))
    return rows


def curves_png(history: list[dict[str, float]]) -> bytes:
    """A PNG of accuracy and loss over the epochs, training and validation in each, from the rows of `history.csv`."""
    from matplotlib.figure import Figure  # slow to import, and only needed to publish

    figure = Figure((8.8, 3), layout="constrained")  # pyplot would keep every figure in memory
    epochs = [row["epoch"] for row in history]
    late = history[len(history) // 10 :]  # the first epochs would dominate the axis
    for axes, quantity in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        for part, label in (("train", "training"), ("val", "validation")):
            values = [row[f"{part}_{quantity}"] for row in history]
            axes.plot(epochs, values, "." if len(history) == 1 else "-", color=COLOURS[part], label=label)
        values = [row[f"{part}_{quantity}"] for row in late for part in COLOURS]
        axes.set_ylim(*((min(values) - 0.5, 100) if quantity == "accuracy" else (0, max(values) * 1.05)))
        axes.set(title="accuracy (%)" if quantity == "accuracy" else "loss", xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(color="#e3e3e3")
        axes.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()
