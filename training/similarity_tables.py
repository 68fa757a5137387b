"""The results in `similarity.json` as Markdown tables: similarities of layers, and accuracies of linear probes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.analysis.similarity import compared_layers
from cnn_models.analysis.similarity_results import Similarities, architecture_of, closest, is_checkpoint, mean_best


def similarities_table(found: Mapping[str, Similarities]) -> str:
    """The closest hidden layers of every two networks, and how well a layer finds its match in the other network."""
    lines = ["| data set | networks | closest hidden layers | CKA | best match, mean |", "|---|---|---|---:|---:|"]
    for dataset, measured in found.items():
        for (first, second), matrix in sorted(measured.cka.items()):
            if first != second:
                i, j, value = closest(matrix)
                networks = f"{_title(first)} and {_title(second)}"
                layers = f"{_layers(first)[i]} and {_layers(second)[j]}"
                lines.append(
                    f"| {DATASETS[dataset].title} | {networks} | {layers} | {value:.2f} | {mean_best(matrix):.2f} |"
                )
    return "\n".join(lines)


def probes_table(found: Mapping[str, Similarities]) -> str:
    """The accuracies of the probes of each network."""
    lines = ["| data set | network | test accuracy of linear probes, % |", "|---|---|---|"]
    for dataset, measured in found.items():
        for name, accuracies in sorted(measured.probes.items()):
            layers = zip(["pixels", *_layers(name)], accuracies, strict=True)
            figures = ", ".join(f"{layer} {value:.1f}" for layer, value in layers)
            lines.append(f"| {DATASETS[dataset].title} | {_title(name)} | {figures} |")
    return "\n".join(lines)


def _layers(name: str) -> list[str]:
    return [layer.name for layer in compared_layers(architecture_of(name))]


def _title(name: str) -> str:
    """`LeNet-5`; for another seed of it, `LeNet-5 (best.1)`."""
    title = ARCHITECTURES[architecture_of(name)].title
    return title if is_checkpoint(name) else f"{title} ({Path(name).parent.name})"
