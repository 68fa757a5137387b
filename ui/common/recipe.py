"""A recipe in words."""

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
    """What a card's recipe does, as HTML; what the recipe doesn't say is left out."""
    said = {name: value for name, value in recipe.items() if isinstance(value, int | float) and value}
    parts = [
        mark(
            "recipe.learn",
            epochs=said.get("epochs", "?"),
            optimizer=OPTIMIZERS.get(str(recipe.get("optimizer")), str(recipe.get("optimizer"))),
            batch=said.get("batch_size", "?"),
        ),
        mark("recipe.cycle" if recipe.get("schedule") == "one_cycle" else "recipe.constant", lr=said.get("lr", "?")),
    ]
    if "weight_decay" in said:
        parts.append(mark("recipe.decay", decay=said["weight_decay"]))
    if "average" in said:
        parts.append(mark("recipe.average", average=said["average"]))
    if init := INITS.get(str(recipe.get("init"))):
        parts.append(mark("recipe.init", init=init))
    legs, begun = [], recipe.get("started_from")
    while isinstance(begun, dict) and begun:
        command, commit, weights = (str(begun.get(name, "?")) for name in ("command", "commit", "weights_sha256"))
        legs.insert(0, mark("recipe.leg", command=command, commit=commit[:12], weights=weights[:12]))
        begun = begun.get("started_from")
    if legs:
        parts.append(mark("recipe.begun") + " " + mark("list.comma").join(legs) + mark("recipe.end"))
    if "small_epochs" in said and "small_size" in said:
        parts.append(mark("recipe.small", epochs=said["small_epochs"], side=said["small_size"]))
    if varied := [name for name in VARIED if name in said]:
        words = [mark(f"recipe.varied.{name}", value=_value(name, said[name])) for name in varied]
        parts.append(mark("recipe.varied") + " " + mark("list.comma").join(words) + mark("list.stop"))
    else:
        parts.append(mark("recipe.unvaried"))
    if teachers := recipe.get("teachers"):
        names = ", ".join(map(str, teachers))
        parts.append(mark("recipe.taught", names=names, temperature=said.get("temperature", 1)))
    if recipe.get("held_out") == 0:
        parts.append(mark("recipe.tested"))
    return Markup(" ").join(parts)


def split_texts(split: Split, teachers: Collection[str] = ()) -> list[tuple[str, dict[str, str]]]:
    """The texts, with their values, of which images trained and validated a network; none if its card does not say."""
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
