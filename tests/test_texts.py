"""Every string is there in every language, with the same names to fill in, and none is left over."""

import ast
import json
import re
import string
from html import unescape
from pathlib import Path

import pytest

from cnn_models import ARCHITECTURES, ModelHub
from cnn_models.checkpoints.folder import CONFIG, CheckpointError, read_card
from cnn_models.errors import UNKNOWN, TranslatableError
from cnn_models.images.decode import MAX_BYTES, PictureError, decode
from cnn_models.images.preprocess import BLANK
from ui.common.recipe import split_words
from ui.common.texts import LANGUAGES, TEXTS, attribute, mark, mark_sentence, note_html, say, script, translate

SOURCES = [path for kind in ("*.py", "*.js") for path in Path("ui").rglob(kind) if path.name != "texts.py"]


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", TEXTS)
def test_every_text_is_said_in_every_language_with_the_same_names(key):
    texts = TEXTS[key]
    assert len(texts) == len(LANGUAGES) and all(text.strip() for text in texts)
    assert len({frozenset(names(text)) for text in texts}) == 1
    assert not re.search(r"[一-鿿]", texts[0])


# Raised where no page asks: of what programs bring and name, of what training writes, of damaged evaluations.
UNSEEN = {"_from_array", "unpack", "_member", "_all", "write_checkpoint", "read_evaluation"}
SAID = [
    *Path("cnn_models").rglob("*.py"),
    *map(Path, ("ui/common/reading.py", "ui/common/sketchpad.py", "ui/compare/keep.py")),
]


def raised(path: Path) -> set[str]:
    """The sentences of a file's errors that a page may show; what isn't a plain string can't be translated."""
    sentences = set()
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef) and function.name not in UNSEEN:
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            said = [call.args[0] for call in calls if getattr(call.func, "id", "") in ERRORS]
            again = [each for each in said if getattr(each, "attr", "") == "sentence"]  # of an error with other values
            sentences |= {ast.literal_eval(each) for each in said if each not in again}
    return sentences


def subclasses(kind: type) -> set[str]:
    return {kind.__name__}.union(*map(subclasses, kind.__subclasses__()))


ERRORS = subclasses(TranslatableError) - {"BlankPicture", "UnknownName"}


def test_what_cnn_models_says_on_the_page_is_translated():
    said = {BLANK, UNKNOWN} | {spec.summary for spec in ARCHITECTURES.values()}
    said = said.union(*map(raised, SAID))
    begun = ("summary.", "picture.", "refused.", "checkpoint.")
    ours = {texts[0] for key, texts in TEXTS.items() if key.startswith(begun)}
    assert said == ours
    with pytest.raises(PictureError) as caught:
        decode(b"x" * (MAX_BYTES + 1))
    error = caught.value
    assert translate("en", error) == str(error)
    assert translate("zh", error) == "文件超过 20 MB；请缩小后再试。"
    assert translate("zh", "Neither nor there") == "Neither nor there"


def test_an_error_within_an_error_is_translated_too(tmp_path):
    (tmp_path / CONFIG).write_text("7")
    with pytest.raises(CheckpointError) as caught:
        read_card(tmp_path)
    path, error = tmp_path / CONFIG, caught.value
    assert str(error) == f"{path} is not the card of a checkpoint: a card is a JSON object"
    assert say("zh", "bring.refused", why=error) == f"无法加入：{path} 不是检查点的卡片：卡片应是一个 JSON 对象。"
    html = mark_sentence(error)
    values = json.loads(unescape(re.search(r'data-values="([^"]*)"', html)[1]))
    assert values == {"path": str(path), "why": {"key": "checkpoint.object", "values": {}}}
    assert note_html(str(error)) in html


def test_what_cards_say_of_their_pictures_is_translated():
    assert all("data-text=" in split_words(card.split) for card in ModelHub().cards().values())
    for count in ("60,000", "59,000"):
        html = split_words(f"trained on all {count}, validated on the test set")
        assert f'data-values="{{&quot;train&quot;: &quot;{count}&quot;}}"' in html and "recipe.split.none" in html
    said = TEXTS["recipe.split.none"][0].replace("{train}", "{len(train):,}")
    assert f'"{said}"' in Path("training/data.py").read_text(encoding="utf-8")


def test_commands_are_set_as_code():
    assert note_html("<b> `a<b`") == "&lt;b&gt; <code>a&lt;b</code>"
    assert note_html("`a.b_c`") == "<code>a.<wbr>b_<wbr>c</code>"


def test_every_text_is_in_use():
    code = "".join(path.read_text(encoding="utf-8") for path in [*SOURCES, Path("app.py")])
    used = set(re.findall(r"""["']([a-z]+\.[a-z.]+)["']""", code))
    begun = tuple(re.findall(r"""f["']([a-z]+\.[a-z.]*)\{""", code))
    begun += (
        "summary.",
        "picture.",
        "refused.",
        "checkpoint.",
        "recipe.split.",
        "control.",
        "server.busy",
    )  # found by their English
    assert not [key for key in TEXTS if key not in used and not key.startswith(begun)]


def test_values_are_filled_in_and_escaped():
    assert say("zh", "tab.layers") == "逐层"
    assert mark("tab.layers") == '<span data-text="tab.layers">Layers</span>'
    assert attribute("title", "tab.layers") == 'title="Layers" data-text-title="tab.layers"'
    assert script().count("</script>") == 1
    with pytest.raises(KeyError, match="en, zh"):
        say("fr", "tab.layers")
