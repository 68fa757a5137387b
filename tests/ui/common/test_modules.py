"""The imports of ES modules, and their calls from Python."""

import posixpath
import re

import pytest

from cnn_models import ModelHub
from tests.conftest import ROOT
from ui.common.modules import FIRST, MODULES, on_load
from ui.tabs import build

IMPORT = re.compile(r'^import (?:\{(.+?)\} from )?"(\..+?)";$', re.MULTILINE)
CALL = re.compile(r'import\(new URL\("modules/\w+/(.+?)", document\.baseURI\)\)\)?\.(?:then\(\(\{ )?(\w+)')


def code(name):
    return MODULES[name].decode()


def imports(name):
    """The modules that a module imports, with the imported names."""
    return {
        posixpath.normpath(posixpath.join(posixpath.dirname(name), path)): re.findall(r"\w+", names)
        for names, path in IMPORT.findall(code(name))
    }


def exports(name):
    return set(re.findall(r"^export (?:async )?(?:function|class|const|let) (\w+)", code(name), re.MULTILINE))


@pytest.mark.parametrize("name", MODULES)
def test_every_import_is_of_a_module_that_exports_it(name):
    assert code(name).count("\nimport ") + code(name).startswith("import ") == len(imports(name))
    for other, names in imports(name).items():
        assert set(names) <= exports(other), (name, other)


def test_the_first_tab_imports_all_that_the_page_preloads_and_no_more():
    found, rest = set(), {"compare/tab.js"}
    while rest:
        found |= rest
        rest = {other for name in rest for other in imports(name)} - found
    assert found == {name for name in MODULES if name.startswith(FIRST)}


def test_components_and_events_only_call_functions_that_modules_export():
    page = build(ModelHub(ROOT / "weights"))
    calls = [block.js_on_load for block in page.blocks.values() if getattr(block, "server_fns", None)]
    calls += [function.js for function in page.fns.values() if isinstance(function.js, str)]
    assert len(calls) > 10
    for call in calls:
        name, function = CALL.search(call).groups()
        assert function in exports(name), call


def test_an_unknown_module_is_an_error_when_the_page_is_built():
    with pytest.raises(KeyError, match="nothing"):
        on_load("compare/nothing.js")
