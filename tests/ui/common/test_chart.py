"""Charts of lines as SVG."""

import re

from ui.common.chart import Axis, Line, chart, legend
from ui.common.texts import mark

HOSTILE = "<script>'\"&"
ESCAPED = "&lt;script&gt;&#39;&#34;&amp;"


def test_texts_are_escaped_and_marks_stay_elements():
    line = Line(HOSTILE, "red", [(0, 1)], dots=[HOSTILE])
    html = chart(HOSTILE, mark("training.epoch"), [line], Axis(0, 1), Axis(0, 1)) + legend([(HOSTILE, "red", "")])
    assert "<script" not in html and html.count(ESCAPED) == 5  # title, name twice, dot, legend
    assert '<small><span data-text="training.epoch">' in html


def test_a_line_named_by_a_key_is_named_in_the_language_of_the_visitor():
    html = chart("", "", [Line("training.epoch", "red", [])], Axis(0, 1), Axis(0, 1))
    assert '<title data-text="training.epoch">' in html


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
