"""The README.md of a checkpoint folder: a model card with the metadata that the Hugging Face Hub reads."""

from __future__ import annotations

import dataclasses
import io

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.analysis.ood import MARGIN
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
One network, one look at each image.{{ split }}
{% if evaluation %}
**How sure it is.** Its logits are divided by the temperature {{ card.temperature }}, {{ fitted }}. The expected
calibration error on the test images (15 bins) is {{ "%.2f" | format(card.metrics.test_ece) }} %, and
{{ "%.2f" | format(card.metrics.test_ece_uncalibrated) }} % at temperature 1.

**What is none of the ten.** By its energy (Liu et al. 2020), a test image is told
{% for title, value in ood_data -%}
from {{ title }} with an AUROC of {{ "%.4f" | format(value) }}{{ ", " if not loop.last }}
{%- endfor %}.
{% if card.energy_threshold is none -%}
There is no energy from which on an image counts as unusual, as no image was held out to fit one on.
{%- else -%}
Above {{ card.energy_threshold }} is one in 200 validation images. From {{ edge }} above that on, which leaves room
for drawings, CNN Lineup says that the network finds an image unlike those it was trained on.
{%- endif %}

**What it takes for what**, in test images:

| class | recognised | taken for something else |
|---|---:|---|
{% for name, accuracy, mistakes in rows -%}
| {{ name }} | {{ "%.1f %%" | format(accuracy) }} | {{ mistakes }} |
{% endfor %}
Which images those are is in `evaluation.json`.
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

It sees {{ card.input_size }}×{{ card.input_size }} grey images, bright on black, normalised with mean {{ card.mean }}
and deviation {{ card.std }}, and tells apart: {{ card.classes | join(", ") }}.

## Training

`{{ card.command }}` on commit `{{ card.commit }}` ({{ card.date }}; {{ versions }}).

| hyper-parameter | value |
|---|---|
{% for name, value in card.recipe | dictsort -%}
| {{ name }} | {{ value }} |
{% endfor %}
{% if curves -%}
![Accuracy and loss over the epochs]({{ curves }})

{% endif -%}
One row an epoch is in `history.csv`.
{%- if card.snapshots_sha256 %} The weights before the training and after each epoch, in float16, are in
`snapshots.safetensors`.{% endif %}

## Limits

Whatever an image shows, the network gives one of its ten answers, and it may be sure of a wrong one. It knows images
prepared as its data set's makers did (centred, scaled, bright on black; CNN Lineup does so with any image) and
nothing that differs from the data set in other ways: other scripts, several things in one image, cluttered
backgrounds. It is for teaching and comparing, not for decisions about people.
"""


def model_card(card: Card, evaluation: Evaluation | None = None, curves: str = "", owner: str = "") -> str:
    """The text of the model card; the Hub's metadata at its top lists the measured test accuracy.

    `evaluation` belongs to a card with the figures that `training.evaluate` measures with it; `curves` names the
    image of the training curves, where one is published beside the card; `owner` is who publishes it.
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
        layers=architecture_layers(card.architecture, card.input_size),
        versions=", ".join(f"{k} {v}" for k, v in sorted(card.versions.items())),
        parts=(("test", "10,000 test images"), ("val", "validation images")),
        split=_split(card),
        evaluation=evaluation,
        edge=MARGIN,
        fitted="fitted on the validation images" if card.recipe.get("held_out") else "as no image was held out",
        ood_data=[
            (f"one of {DATASETS[name].title}" if name in DATASETS else name, value)
            for key, value in card.metrics.items()
            if (name := key.removeprefix("auroc_")) != key
        ],
        rows=_rows(card, evaluation) if evaluation else (),
    )
    return str(card_text).rstrip() + "\n"


def _split(card: Card) -> str:
    """Which images trained and validated the network, a sentence after a space; empty where the card does not say."""
    train, validation, extra = dataclasses.astuple(card.split)
    if not train:
        return ""
    which = f"the first {train:,} training images" if validation else f"all {train:,}"
    on = f"the last {validation:,}" if validation else "the test set"
    own = f", with {extra:,} images of one's own" if extra else ""
    taught = f", taught by {' and '.join(teachers)}" if (teachers := card.recipe.get("teachers")) else ""
    return f" Trained on {which}, validated on {on}{own}{taught}."


def _rows(card: Card, evaluation: Evaluation) -> list[tuple[str, float, str]]:
    """A class, how many percent of its images are recognised, and what the others are taken for, most often first."""
    rows = []
    for index, (name, counts) in enumerate(zip(card.classes, evaluation.confusion, strict=True)):
        mistakes = sorted(
            ((count, other) for other, count in zip(card.classes, counts, strict=True) if count and other != name),
            key=lambda mistake: -mistake[0],
        )
        rows.append((name, evaluation.accuracies[index], ", ".join(f"{other} ({count})" for count, other in mistakes)))
    return rows


def curves_png(history: list[dict[str, float]]) -> bytes:
    """A PNG of two panels, training and validation in each, from the rows of `history.csv`."""
    from matplotlib.figure import Figure  # here, as only a publication draws the curves

    figure = Figure((8.8, 3), layout="constrained")  # without pyplot, which would keep every figure
    epochs = [row["epoch"] for row in history]
    settled = history[len(history) // 10 :]  # the first epochs would squeeze the others together
    for axes, quantity in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        for part, label in (("train", "training"), ("val", "validation")):
            values = [row[f"{part}_{quantity}"] for row in history]
            axes.plot(epochs, values, "." if len(history) == 1 else "-", color=COLOURS[part], label=label)
        seen = [row[f"{part}_{quantity}"] for row in settled for part in COLOURS]
        axes.set_ylim(*((min(seen) - 0.5, 100) if quantity == "accuracy" else (0, max(seen) * 1.05)))
        axes.set(title="accuracy (%)" if quantity == "accuracy" else "loss", xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(color="#e3e3e3")
        axes.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()
