"""Every string is there in every language, with the same names to fill in, and none is left over."""

import ast
import re
import string
from pathlib import Path

import pytest

from cnn_models import ARCHITECTURES
from cnn_models.decode import MAX_BYTES, PictureError, decode
from cnn_models.preprocess import BLANK
from ui.texts import LANGUAGES, TEXTS, attribute, mark, say, script, translate

SOURCES = [path for kind in ("*.py", "*.js") for path in (Path("ui")).glob(kind) if path.name != "texts.py"]


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", TEXTS)
def test_every_text_is_said_in_every_language_with_the_same_names(key):
    texts = TEXTS[key]
    assert len(texts) == len(LANGUAGES) and all(text.strip() for text in texts)
    assert len({frozenset(names(text)) for text in texts}) == 1
    assert not re.search(r"[一-鿿]", texts[0])


def raised(path: str) -> set[str]:
    """The sentences of the PictureErrors that a file raises."""
    calls = [node for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return {call.args[0].value for call in calls if getattr(call.func, "id", "") == "PictureError"}


def test_what_cnn_models_says_on_the_page_is_translated():
    said = {BLANK} | {spec.summary for spec in ARCHITECTURES.values()}
    said |= {text for text in raised("cnn_models/decode.py") if not text.startswith("An array")}  # no browser sends one
    said |= raised("ui/sketchpad.py")
    ours = {texts[0] for key, texts in TEXTS.items() if key.startswith(("summary.", "picture."))}
    assert said == ours
    with pytest.raises(PictureError) as caught:
        decode(b"x" * (MAX_BYTES + 1))
    error = caught.value
    assert translate("en", error.sentence, **error.values) == str(error)
    assert translate("zh", error.sentence, **error.values) == "文件超过 20 MB；请缩小后再试。"
    assert translate("zh", "Neither {here}", here="nor there") == "Neither nor there"


def test_every_text_is_in_use():
    code = "".join(path.read_text(encoding="utf-8") for path in [*SOURCES, Path("app.py")])
    used = set(re.findall(r"""["']([a-z]+\.[a-z.]+)["']""", code))
    begun = tuple(re.findall(r"""f["']([a-z]+\.[a-z.]*)\{""", code))
    begun += ("summary.", "picture.")  # found by their English
    assert not [key for key in TEXTS if key not in used and not key.startswith(begun)]


def test_values_are_filled_in_and_escaped():
    assert say("zh", "tab.layers") == "逐层"
    assert mark("tab.layers") == '<span data-text="tab.layers">Layers</span>'
    assert attribute("title", "tab.layers") == 'title="Layers" data-text-title="tab.layers"'
    assert script().count("</script>") == 1
    with pytest.raises(KeyError, match="en, zh"):
        say("fr", "tab.layers")
