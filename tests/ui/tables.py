"""What the tests of tables share."""

import re

HEAD = re.compile(r'<span class="figures-head" translate="yes">(?:<span[^>]*>[^<]*</span>\s*)*</span>')


def without_heads(html: str) -> str:
    """The table without the heads of the columns in its cells, which only narrow screens show."""
    return HEAD.sub("", html)
