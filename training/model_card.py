"""The README.md of a checkpoint folder: a model card with the metadata that the Hugging Face Hub reads."""

from __future__ import annotations

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.specs import Card

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
One network, one look at each picture. {{ card.split | capitalize }}.

## Use

```python
from cnn_models import ModelHub, compare

print(compare("picture.png", "{{ card.dataset }}", models=["{{ card.id }}"], hub=ModelHub()).verdict)
```

It sees {{ card.input_size }}×{{ card.input_size }} grey pictures, bright on black, normalised with mean {{ card.mean }}
and deviation {{ card.std }}, and tells apart: {{ card.classes | join(", ") }}.

## Training

`{{ card.command }}` on commit `{{ card.commit }}` ({{ card.date }}; {{ versions }}).

| hyper-parameter | value |
|---|---|
{% for name, value in card.recipe | dictsort -%}
| {{ name }} | {{ value }} |
{% endfor %}
One row an epoch is in `history.csv`. Whatever a picture shows, the network gives one of its ten answers.
"""


def model_card(card: Card) -> str:
    """The text of the model card; the Hub's metadata at its top lists the measured test accuracy."""
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
        versions=", ".join(f"{k} {v}" for k, v in sorted(card.versions.items())),
        parts=(("test", "10,000 test pictures"), ("val", "validation pictures")),
    )
    return str(card_text).rstrip() + "\n"
