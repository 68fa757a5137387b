"""Training recipes and splits in words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import astuple

from markupsafe import Markup

from cnn_models.specs import Split
from ui.common.texts import mark

OPTIMIZERS = {"sgd": "SGD", "adamw": "AdamW", "muon": "Muon"}
INITS = {"xavier_uniform": "Xavier", "he": "He", "lecun": "LeCun"}
VARIED = ("degrees", "shear", "shift", "scale", "elastic", "erase", "flip", "cutmix")


def recipe_words(recipe: dict) -> Markup:
    """The recipe of a card in words, as HTML; fields that the recipe lacks are left out."""
    numbers = {name: value for name, value in recipe.items() if isinstance(value, int | float) and value}
    parts = [
        mark(
            "recipe.learn",
            epochs=numbers.get("epochs", "?"),
            optimizer=OPTIMIZERS.get(str(recipe.get("optimizer")), str(recipe.get("optimizer"))),
            batch=numbers.get("batch_size", "?"),
        ),
        mark("recipe.cycle" if recipe.get("schedule") == "one_cycle" else "recipe.constant", lr=numbers.get("lr", "?")),
    ]
    if "weight_decay" in numbers:
        parts.append(mark("recipe.decay", decay=numbers["weight_decay"]))
    if "average" in numbers:
        parts.append(mark("recipe.average", average=numbers["average"]))
    if init := INITS.get(str(recipe.get("init"))):
        parts.append(mark("recipe.init", init=init))
    parts += _origin(recipe)
    if "small_epochs" in numbers and "small_size" in numbers:
        parts.append(mark("recipe.small", epochs=numbers["small_epochs"], side=numbers["small_size"]))
    if varied := [name for name in VARIED if name in numbers]:
        words = [mark(f"recipe.varied.{name}", value=_value(name, numbers[name])) for name in varied]
        parts.append(mark("recipe.varied") + " " + mark("list.comma").join(words) + mark("list.stop"))
    else:
        parts.append(mark("recipe.unvaried"))
    if teachers := recipe.get("teachers"):
        names = ", ".join(map(str, teachers))
        parts.append(mark("recipe.taught", names=names, temperature=numbers.get("temperature", 1)))
    if recipe.get("held_out") == 0:
        parts.append(mark("recipe.tested"))
    return Markup(" ").join(parts)


def _origin(recipe: dict) -> list[Markup]:
    """The trainings before this one, and the interpolation with their weights."""
    parts, runs, start = [], [], recipe.get("started_from")
    while isinstance(start, dict) and start:
        command, commit, weights = (str(start.get(name, "?")) for name in ("command", "commit", "weights_sha256"))
        runs.insert(0, mark("recipe.leg", command=command, commit=commit[:12], weights=weights[:12]))
        start = start.get("started_from")
    if runs:
        parts.append(mark("recipe.begun") + " " + mark("list.comma").join(runs) + mark("recipe.end"))
    interpolated = recipe.get("interpolated")
    if isinstance(interpolated, dict) and isinstance(share := interpolated.get("share"), int | float):
        parts.append(mark("recipe.interpolated", share=share))
    return parts


def split_texts(split: Split, teachers: Collection[str] = ()) -> list[tuple[str, dict[str, str]]]:
    """The keys and values of the sentence about training and validation images; empty for an unknown split."""
    if not split.train:
        return []
    train, held, extra = (f"{count:,}" for count in astuple(split))
    validated = ("recipe.split", {"train": train, "held": held})
    texts = [validated if split.validation else ("recipe.split.none", {"train": train})]
    if split.extra:
        texts.append(("recipe.split.extra", {"count": extra}))
    if teachers:
        texts.append(("recipe.split.taught", {"names": " and ".join(teachers)}))
    return texts


def split_words(split: Split, teachers: Collection[str] = ()) -> Markup:
    """`split_texts` as HTML."""
    return Markup().join(mark(key, **values) for key, values in split_texts(split, teachers))


def _value(name: str, value: float) -> str:
    return f"{100 * value:g}" if name in ("scale", "cutmix") else f"{value:g}"
