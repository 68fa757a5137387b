"""setuptools, with dependencies and extras read from `requirements.txt` and `tests/requirements.txt`.

setuptools itself reads neither a part of such a file nor one that includes another.
"""

import re
from functools import partial
from pathlib import Path

import setuptools
from setuptools.build_meta import *  # noqa: F403  the hooks that pip calls
from setuptools.command.egg_info import manifest_maker

library, page = Path("requirements.txt").read_text(encoding="utf-8").split("# For the page alone:\n")
tests = Path("tests/requirements.txt").read_text(encoding="utf-8").removeprefix("-r ../requirements.txt\n")
heic, onnx = (re.findall(rf"^{name}.*", tests, re.MULTILINE) for name in ("pillow-heif", "onnx"))
extras = {"app": page, "heic": heic, "onnx": onnx, "test": page + tests}
setuptools.setup = partial(setuptools.setup, install_requires=library, extras_require=extras)
manifest_maker.template = ".ci/MANIFEST.in"
