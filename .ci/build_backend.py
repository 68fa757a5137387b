"""setuptools, with dependencies and extras read from `requirements.txt` and `tests/requirements.txt`.

setuptools itself reads neither a part of such a file nor one that includes another.
"""

from functools import partial
from pathlib import Path

import setuptools
from setuptools.build_meta import *  # noqa: F403  the hooks that pip calls
from setuptools.command.egg_info import manifest_maker

library, page = Path("requirements.txt").read_text(encoding="utf-8").split("# For the page alone:\n")
tests = Path("tests/requirements.txt").read_text(encoding="utf-8").removeprefix("-r ../requirements.txt\n")
heic = next(line for line in tests.splitlines() if line.startswith("pillow-heif"))
extras = {"app": page, "heic": heic, "test": page + tests}
setuptools.setup = partial(setuptools.setup, install_requires=library, extras_require=extras)
manifest_maker.template = ".ci/MANIFEST.in"
