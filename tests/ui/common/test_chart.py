"""Charts of lines as SVG."""

import json
import re

import pytest

from ui.common.chart import MOST, SYMBOLS, Axis, Line, chart, legend
from ui.common.texts import mark

HOSTILE = "<script>'\"&"
ESCAPED = "&lt;script&gt;&#39;&#34;&amp;"


def test_texts_are_escaped_and_marks_stay_elements():
    lines = [Line(HOSTILE, "red", [(0, 1)]), Line("", "red", [(0, 1)], dots=[HOSTILE])]
    html = chart(HOSTILE, mark("training.epoch"), lines, Axis(0, 1), Axis(0, 1)) + legend([(HOSTILE, "red", "")])
    assert "<script" not in html and html.count(ESCAPED) == 4  # title, name twice, legend
    assert json.loads(re.findall("data-texts='(.*?)'", html)[1]) == [["0", HOSTILE]]
    assert '<small translate="yes" aria-live="polite"><span data-text="training.epoch">' in html


def test_a_line_named_by_a_key_is_named_in_the_language_of_the_visitor():
    html = chart("", "", [Line("training.epoch", "red", [])], Axis(0, 1), Axis(0, 1))
    assert "data-text=" not in html, "without points there are no values"
    html = chart("", "", [Line("training.epoch", "red", [(0, 1)])], Axis(0, 1), Axis(0, 1))
    assert '<b></b> <span data-text="training.epoch">' in html


def test_a_chart_is_named_by_its_title_and_lines_unless_a_label_is_given():
    lines = [Line("LeNet-5", "red", []), Line("AlexNet", "blue", [])]
    assert 'aria-label="epoch: LeNet-5, AlexNet"' in chart(mark("training.epoch"), "", lines, Axis(0, 1), Axis(0, 1))


def test_a_chart_puts_points_where_they_belong():
    html = chart("", "", [Line("a", "red", [(0, 1), (10, 100)])], Axis(0, 10), Axis(1, 100, log=True))
    assert 'points="44.0,188.0 410.0,8.0"' in html
    assert [float(x) for x in re.findall(r'text-anchor="end">([\d.]+)<', html)] == [1, 2, 5, 10, 20, 50, 100]
    assert Axis(0, 1).ticks() == [0, 0.2, 0.4, 0.6, 0.8, 1.0] and Axis(97.3, 99.1).ticks() == [97.5, 98, 98.5, 99]


def test_a_cursor_lies_at_the_end_of_the_plot():
    html = chart("", "", [Line("a", "red", [(0, 0)])], Axis(0, 10), Axis(0, 100), cursor=True)
    assert 'x1="410" x2="410" y1="8" y2="188" data-left="44" data-width="366"' in html


def test_a_value_off_the_axis_is_drawn_off_the_plot():
    html = chart("", "", [Line("a", "red", [(0, -1), (10, 2)])], Axis(0, 10), Axis(0, 1))
    assert 'points="44.0,368.0 410.0,-172.0"' in html and '<svg y="4" width="420" height="188"' in html


def test_a_spread_is_a_band_or_the_error_bar_of_a_single_point():
    band = chart("", "", [Line("a", "red", [(0, 1), (10, 1)], spread=[(0, 2)] * 2)], Axis(0, 10), Axis(0, 2))
    assert '<polygon points="44.0,8.0 410.0,8.0 410.0,188.0 44.0,188.0" stroke="none"/>' in band
    bar = chart("", "", [Line("a", "red", [(0, 1)], spread=[(0, 2)])], Axis(0, 10), Axis(0, 2))
    assert '<polygon points="44.0,8.0 44.0,188.0"/>' in bar


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_line_with_a_symbol_has_some_and_one_with_dots_has_all(symbol):
    points = [(x, 0) for x in range(100)]
    html = chart("", "", [Line("a", "red", points, symbol=symbol)], Axis(0, 100), Axis(0, 1))
    assert MOST / 2 < html.count(f'<path d="{SYMBOLS[symbol]}"') <= MOST
    dots = chart("", "", [Line("a", "red", points, dots=["."] * 100)], Axis(0, 100), Axis(0, 1))
    assert dots.count("<path") == 100
    assert "<path" not in chart("", "", [Line("a", "red", points)], Axis(0, 100), Axis(0, 1))


def test_large_whole_numbers_are_short():
    html = chart("", "", [Line("a", "red", [(2e6, 0)])], Axis(1e5, 1e9, log=True, whole=True), Axis(0, 1))
    assert re.findall(r'text-anchor="middle">(.*?)<', html) == ["100k", "1M", "10M", "100M", "1G"]
    assert """data-texts='[["2M", "0"]]'""" in html
