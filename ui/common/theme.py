"""The design of the page: theme, styles, header, and the arguments of `launch`."""

from __future__ import annotations

from pathlib import Path

from gradio import themes

from cnn_models.images.decode import MAX_BYTES
from ui.common import modules
from ui.common.templates import render
from ui.common.texts import LANGUAGES, TEXTS

HERE = Path(__file__).parent
TITLE = "CNN Lineup"
HEADER = render("common/header.html", title=TITLE, languages=LANGUAGES)
ACCENT = themes.Color(
    name="ink",
    c50="#eef6f8", c100="#d5e9ee", c200="#aed5de", c300="#7bbac8", c400="#459bae", c500="#1f7d92",
    c600="#0f6478", c700="#0c5061", c800="#0b404e", c900="#0a3440", c950="#06212a",
)  # fmt: skip
PAPER = themes.Color(
    name="paper",
    c50="#faf9f6", c100="#f2f0ea", c200="#e4e0d6", c300="#cfc9bb", c400="#9c968a", c500="#726d64",
    c600="#57534c", c700="#3d3b37", c800="#272725", c900="#1b1c1c", c950="#121414",
)  # fmt: skip
# System fonts: the page loads nothing from other servers.
THEME = themes.Base(
    primary_hue=ACCENT,
    secondary_hue=ACCENT,
    neutral_hue=PAPER,
    font=["ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Noto Sans", "sans-serif"],
    font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "DejaVu Sans Mono", "monospace"],
    radius_size=themes.sizes.radius_sm,
).set(
    body_background_fill="*neutral_50",
    body_background_fill_dark="*neutral_950",
    block_background_fill="transparent",
    block_background_fill_dark="transparent",
    block_border_width="0px",
    block_shadow="none",
    checkbox_label_background_fill="*neutral_100",
    checkbox_label_background_fill_dark="*neutral_900",
    checkbox_label_background_fill_hover="*neutral_200",
    checkbox_label_background_fill_hover_dark="*neutral_800",
    block_label_text_color="*body_text_color_subdued",
    block_title_text_color="*body_text_color_subdued",
    block_title_text_color_dark="*body_text_color_subdued",
    body_text_color="*neutral_900",
    body_text_color_dark="*neutral_100",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    color_accent="*primary_600",
    color_accent_soft="*primary_100",
    color_accent_soft_dark="*primary_900",
)
RAW = sorted(HERE.parent.rglob("*.raw.css"))
"""CSS files that are put into the page's head as they are: gradio drops `@page` and `@container` from those that it
includes, splits lists in `:is()`, and puts the selector of its container before every rule."""
STYLES = "\n".join(path.read_text(encoding="utf-8") for path in RAW)
LAUNCH = {
    "theme": THEME,
    "head": str(render("common/head.html", texts=TEXTS, modules=modules.first(), styles=STYLES)),
    "css_paths": sorted(set(HERE.parent.rglob("*.css")) - set(RAW)),
    "run_history": False,  # would keep visitors' images in their browser
    "max_file_size": f"{MAX_BYTES // 10**6}mb",
    "footer_links": ["api", "settings"],
    "ssr_mode": False,
}
"""Arguments for `Blocks.launch`."""
