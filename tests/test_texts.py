"""Every text has a wording in every language, with the same placeholders, and is in use."""

import ast
import json
import re
import string
from html import unescape
from pathlib import Path

import pytest

from cnn_models.checkpoints.folder import CONFIG, CheckpointError, read_card
from cnn_models.errors import TranslatableError
from cnn_models.images.decode import MAX_BYTES, ImageError, decode
from cnn_models.messages import MESSAGES
from ui.common.texts import LANGUAGES, SUMMARIES, TEXTS, attribute, mark, mark_error, note_html, say, translate
from ui.common.theme import LAUNCH

PYTHON = [Path("app.py"), *(path for folder in ("cnn_models", "training", "ui") for path in Path(folder).rglob("*.py"))]
SCRIPTS = list(Path("ui").rglob("*.js"))
TEMPLATES = list(Path("ui").rglob("*.html"))
CODE = "".join(
    path.read_text(encoding="utf-8") for path in [*PYTHON, *SCRIPTS, *TEMPLATES] if path.name != "messages.py"
)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", sorted(TEXTS["en"] | TEXTS["zh"]))
def test_every_text_has_the_same_placeholders_in_every_language(key):
    texts = [TEXTS[language][key] for language in LANGUAGES]
    assert all(text.strip() for text in texts)
    assert len({frozenset(placeholders(text)) for text in texts}) == 1
    assert not re.search(r"[一-鿿]", texts[0])


def test_no_text_is_worded_twice_in_english():
    page = json.loads(Path("ui/locales/en.json").read_text(encoding="utf-8"))
    assert len(TEXTS["en"]) == len(page) + len(MESSAGES) + len(SUMMARIES)


def subclasses(kind: type) -> set[str]:
    return {kind.__name__}.union(*map(subclasses, kind.__subclasses__()))


def raised() -> list[tuple[str, set[str]]]:
    """The code and the names of the values of every error that is raised with both written out."""
    errors = subclasses(TranslatableError)
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in PYTHON]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return [
        (call.args[0].value, {each.arg for each in call.keywords})
        for call in calls
        if getattr(call.func, "id", "") in errors
        and isinstance(call.args[0], ast.Constant)
        and all(each.arg for each in call.keywords)
    ]


def test_errors_are_raised_with_the_values_that_their_messages_name():
    codes = raised()
    assert all(placeholders(MESSAGES[code]) == names for code, names in codes)
    assert len({code for code, _ in codes}) > 0.75 * len(MESSAGES)


def test_errors_are_worded_in_the_language_of_the_request():
    with pytest.raises(ImageError) as caught:
        decode(b"x" * (MAX_BYTES + 1))
    error = caught.value
    assert translate("en", error) == str(error) == "The file is larger than 80 MB; make it smaller."
    assert translate("zh", error) == "文件超过 80 MB；请缩小后再试。"
    assert translate("zh", OSError("Neither nor there")) == "Neither nor there"


def test_an_error_within_an_error_is_translated_too(tmp_path):
    (tmp_path / CONFIG).write_text("7")
    with pytest.raises(CheckpointError) as caught:
        read_card(tmp_path)
    path, error = tmp_path / CONFIG, caught.value
    assert str(error) == f"{path} is not the card of a checkpoint: a card is a JSON object"
    assert say("zh", "bring.refused", why=error) == f"无法加入：{path} 不是检查点的卡片：卡片应是一个 JSON 对象。"
    html = mark_error(error)
    values = json.loads(unescape(re.search(r'data-values="([^"]*)"', html)[1]))
    assert values == {"path": str(path), "why": {"key": "checkpoint.object", "values": {}}}
    assert note_html(str(error)) in html


def test_commands_are_set_as_code():
    assert note_html("<b> `a<b`") == "&lt;b&gt; <code>a&lt;b</code>"
    assert note_html("`a.b_c`") == "<code>a.<wbr>b_<wbr>c</code>"


# Keys that are put together: by ending, in any language, or by a part of the page from its own names.
COMPOSED = ("summary.", "control.")


def test_every_text_is_in_use():
    used = set(re.findall(r"""["'`]([a-z]+\.[\w./ -]+)["'`]""", CODE))
    begun = (*COMPOSED, *re.findall(r"""f["']([a-z]+\.[a-z.]*)\{""", CODE))
    begun += tuple(re.findall(r"""["']([a-z]+\.[a-z.]*)["'] ~""", CODE))  # in templates
    assert not [key for key in TEXTS["en"] if key not in used and not key.startswith(begun)]


def test_values_are_filled_in_and_escaped():
    assert say("zh", "tab.layers") == "逐层"
    assert mark("tab.layers") == '<span data-text="tab.layers">Layers</span>'
    assert attribute("title", "tab.layers") == 'title="Layers" data-text-title="tab.layers"'
    head = LAUNCH["head"]
    assert head.count("</script>") == 1 and json.loads(re.search(r"<script[^>]*>(.*)</script>", head)[1]) == TEXTS
    with pytest.raises(KeyError, match="en, zh"):
        say("fr", "tab.layers")
