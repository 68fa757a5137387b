"""The lessons of the Learn tab in Chromium."""

import re

from playwright.sync_api import expect

from ui.common.texts import say
from ui.learn.tab import ORDER


def opened(page, name):
    """The panel of a lesson, opened by its address; it has its question and what was found."""
    page.evaluate("t => { location.hash = `t=learn.${t}` }", name)
    lesson = page.locator(f"#learn-{name}")
    expect(lesson).to_be_visible()
    return lesson


def test_a_path_leads_from_lesson_to_lesson_and_back(page):
    lesson = opened(page, ORDER[0])
    for index, name in enumerate(ORDER):
        lesson = page.locator(f"#learn-{name}")
        expect(lesson.locator(".lesson-number")).to_contain_text(f"Lesson {index + 1} of {len(ORDER)}")
        tab = page.get_by_role("tab", name=say("en", f"learn.{name}"), exact=True)
        expect(tab).to_have_attribute("aria-selected", "true")
        if index:
            expect(tab).to_be_focused()
            assert page.evaluate("location.hash").endswith(f"t=learn.{name}")
        if index + 1 < len(ORDER):
            lesson.locator(".lesson-next").click()
    lesson.locator(".lesson-back").click()
    expect(page.locator(f"#learn-{ORDER[-2]}")).to_be_visible()


def test_a_lesson_begins_with_a_question_and_ends_with_what_was_found(page):
    for name in ORDER:
        lesson = opened(page, name)
        expect(lesson.locator("h2")).to_have_text(say("en", f"learn.{name}.question"))
        found = lesson.locator(".lesson-found.block")
        expect(found).to_contain_text(say("en", "lesson.found"))
        expect(found).to_contain_text(re.compile(r"\d"))
        parts = (lesson.locator("h2"), lesson.locator(".lesson-row").first, found)
        places = [part.bounding_box()["y"] for part in parts]
        assert places == sorted(places)


def test_a_window_is_played_over_the_input_and_fills_in_the_output(page):
    page.emulate_media(reduced_motion="no-preference")
    shown = opened(page, "pooling").locator("#pooling-shown")
    output = shown.locator("[data-grid=output]").first
    filled, marked = output.locator("i:not(.lesson-todo)"), output.locator(".lesson-marked")
    expect(filled).to_have_count(16)
    shown.get_by_role("button", name="Play").click()
    expect(filled).not_to_have_count(16)
    filled.nth(2).wait_for()
    expect(shown.locator("[data-play] path").locator("visible=true")).to_have_count(1)  # the bars of a pause
    shown.get_by_role("button", name="Pause").click()
    count = filled.count()
    assert 3 <= count < 16
    expect(shown.get_by_role("button", name="Play")).to_be_visible()
    expect(shown.locator(".window-place")).to_contain_text(f"Window {count} of 16")
    slider = shown.get_by_role("slider")
    slider.press("End")
    expect(filled).to_have_count(16)
    slider.press("ArrowLeft")
    shown.get_by_role("button", name="Previous window").click()
    expect(filled).to_have_count(14)
    expect(marked).to_have_text(filled.nth(13).inner_text())


def test_the_arithmetic_of_a_window_gives_its_output(page):
    shown = opened(page, "convolution").locator("#convolution-shown")
    for index in (0, 21, 35):
        shown.locator("[data-grid=output] i").nth(index).click()
        marked = shown.locator("[data-grid=output] .lesson-marked").inner_text()
        one, two, total = [text.replace("−", "-") for text in shown.locator(".window-sums p").all_inner_texts()]
        for terms, result in (line.split(" = ") for line in (one, two)):
            assert eval(terms.replace("·", "*")) == int(result)
        assert eval(total.split(" = ")[0].replace("(bias)", "")) == int(marked.replace("−", "-"))
    expect(shown.locator("[data-grid=input]").first.locator(".lesson-marked")).to_have_count(9)


def test_a_window_only_steps_where_motion_is_reduced(page):
    page.emulate_media(reduced_motion="reduce")
    shown = opened(page, "convolution").locator("#convolution-shown")
    shown.get_by_role("button", name="Next window").click()
    expect(shown.locator("[data-grid=output] .lesson-todo")).to_have_count(36 - 23)
    expect(shown.locator("[data-play]")).to_be_hidden()
