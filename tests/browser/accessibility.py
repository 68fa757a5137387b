"""What axe-core finds on every tab and each section of it in the running app, wide and narrow, light and dark, in both
languages, but in gradio's footer; exits with 1 if anything.

python app.py --port 7860 &
python -m tests.browser.accessibility http://127.0.0.1:7860
python -m tests.browser.accessibility http://127.0.0.1:7860 --tabs learn --sizes 360x640 --themes dark --languages en
"""

from __future__ import annotations

import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.screenshots import SIZES, pages, parser, places


def violations(page: Page) -> list[str]:
    """The violations on the open tab, each with its first places."""
    found = Axe().run(page, context={"exclude": [["footer"]]}).response["violations"]
    return [
        f"{each['impact']}: {each['help']}: {', '.join(str(node['target']) for node in each['nodes'][:3])}"
        for each in found
    ]


def main(argv: list[str] | None = None) -> int:
    args, found = parser(str(__doc__), (SIZES[0], SIZES[-1])).parse_args(argv), 0
    for name, page in pages(args):
        for place in places(page, args.tabs):
            for sentence in violations(page):
                found += 1
                print(f"{place}, {name}: {sentence}")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
