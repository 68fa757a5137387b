"""The map in Chromium, with the bundled networks: dots, the drawing, and the image at a dot."""

import numpy as np
from playwright.sync_api import expect

from cnn_models import ModelHub
from cnn_models.analysis.projection import IMAGES, read_projection
from cnn_models.datasets.test_sets import load_test_set
from tests.browser.test_page import trained
from ui.common.strips import png
from ui.common.texts import say
from ui.training.projection import places_on_map

PIXELS = """(canvas, label) => {
  const pen = canvas.getContext("2d");
  pen.fillStyle = getComputedStyle(canvas).getPropertyValue(`--class-${label}`);
  const [r, g, b] = pen.fillStyle.match(/[0-9a-f]{2}/g).map((each) => parseInt(each, 16));
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((_, at) => at % 4 === 0 && data[at] === r && data[at + 1] === g && data[at + 2] === b).length;
}"""

COUNT_ARCS = """() => {
  window.arcs = 0;
  const { arc } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.arc = function (...args) {
    window.arcs += 1;
    arc.apply(this, args);
  };
}"""


def test_dots_are_read_by_pointer_and_keys_and_emphasised_by_class(page):
    page.locator("#samples .samples:not([hidden]) button").nth(4).click()
    expect(page.locator("#verdict")).to_contain_text("4")
    page.evaluate("() => { location.hash = 't=training.map' }")
    maps = page.locator("#projection figure")
    expect(maps).to_have_count(len(trained("mnist")))
    first = maps.first
    canvas, read, near = (first.locator(each) for each in ("canvas", ".projection-read", ".projection-nearest li"))
    expect(read).to_contain_text(say("en", "projection.drawn"))
    assert near.all_inner_texts() == ["4"] * 5

    hub, (images, labels) = ModelHub(), (each[IMAGES] for each in load_test_set("mnist"))
    projection = read_projection(hub.weights_dir, hub.card(f"{trained('mnist')[0]}.mnist"))
    places, _ = places_on_map(projection.tsne, None)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(len(places))
    index = int(apart.min(axis=1).argmax())  # the loneliest
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = (1 + 6 + places[index] * (box["width"] - 2 - 2 * 6)).tolist()  # border and margin
    page.evaluate(COUNT_ARCS)
    page.mouse.move(box["x"] + x, box["y"] + y)
    for each in maps.all():
        expect(each.locator(".projection-read")).to_contain_text(f"test image {IMAGES.step * index}: {labels[index]}")
    expect(read.locator("img")).to_have_attribute("src", png(images[index]))
    status = page.locator("#projection [role=status]")
    assert status.inner_text() == "", "the mouse passes many dots"
    assert page.evaluate("() => window.arcs") <= 2 * maps.count(), "the dots were drawn again"
    page.mouse.move(0, 0)
    expect(read).to_contain_text(say("en", "projection.drawn"))
    canvas.press("ArrowRight")
    expect(status).to_contain_text("test image")
    chosen = read.inner_text()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.move(0, 0)
    assert read.inner_text() == chosen, "the mouse passed no dot"
    canvas.press("Escape")
    expect(read).to_contain_text(say("en", "projection.drawn"))

    assert canvas.evaluate(PIXELS, 0) > 100 < canvas.evaluate(PIXELS, 7)
    page.locator(".projection-classes button").nth(7).click()
    expect(page.locator(".projection-classes [aria-pressed=true]")).to_have_text("7")
    assert canvas.evaluate(PIXELS, 0) == 0 and canvas.evaluate(PIXELS, 7) > 100
    page.get_by_label(say("en", "projection.pca"), exact=True).check()
    expect(first.locator("figcaption")).to_contain_text(f"5-NN {projection.scores[1, 0].item():.2f} %")
