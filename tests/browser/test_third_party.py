"""Third-party checkpoints from a fake Hub, in Chromium."""

import hashlib
import re
import threading
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from cnn_models import ModelHub
from cnn_models.checkpoints.folder import WEIGHTS
from cnn_models.folders import default_weights_dir
from tests.browser.test_compare import update_sizes
from tests.browser.test_page import PAINTED, SEVEN, draw
from ui.tabs import build

TRAINED = default_weights_dir() / "mini_resnet.mnist"


@contextmanager
def opened(browser, hub):
    """The page of an app over a hub, without errors in its console."""
    app = build(hub)
    _, url, _ = app.launch(prevent_thread_lock=True, quiet=True)
    tab, wrong = browser.new_page(), []
    tab.set_default_timeout(60_000)
    tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.goto(url)
    tab.wait_for_selector("#sketchpad canvas")
    yield tab
    tab.close()
    app.close()
    assert not wrong


@pytest.fixture
def page(browser, fake_hub, monkeypatch):
    """The page of an app on `fake_hub`."""
    monkeypatch.delenv("CNN_HUB_NAMESPACE", raising=False)
    with opened(browser, ModelHub(public=True)) as page:
        yield page


def add(page, id):
    page.locator("#options").evaluate("each => (each.open = true)")
    page.get_by_label("Third-party checkpoints").fill(id)
    page.get_by_role("button", name="Add", exact=True).click()


def test_a_third_party_network_predicts_beside_the_others_until_it_is_removed(page, fake_hub):
    commit = fake_hub.push("someone/mini_resnet.mnist", TRAINED)
    fake_hub.push("evil/mini_resnet.mnist", TRAINED, **{WEIGHTS: b"\x80\x04cos\nsystem\n."})
    draw(page, SEVEN)
    add(page, "someone/mini_resnet.mnist")
    head = page.locator("#lineup .board-brought")
    expect(head).to_contain_text(f"someone@{commit[:7]}")
    expect(head).to_contain_text(re.compile(r"\d % of [\d,]+ here"))
    mine = page.locator("#lineup td[data-model=mini_resnet]").all_inner_texts()
    theirs = page.locator(f"#lineup td[data-model='someone/mini_resnet.mnist@{commit}']")
    expect(theirs).to_have_count(14)
    assert theirs.all_inner_texts()[:12] == mine[:12]  # the same weights; time and source differ

    add(page, "evil/mini_resnet.mnist")
    expect(page.locator("#bring")).to_contain_text("is not the weights of mini_resnet.mnist")
    add(page, "someone/mini_resnet.fashion_mnist")
    expect(page.locator("#bring")).to_contain_text("choose Clothing above the canvas first")
    expect(head).to_have_count(1)

    page.get_by_role("radio", name="Clothing").check()
    expect(head).to_have_count(0)
    page.get_by_role("radio", name="Digits").check()
    expect(head).to_have_count(1)
    page.wait_for_url(f"**{commit}**")
    page.reload()
    expect(head).to_have_count(1)
    page.get_by_role("button", name=f"Hide Mini ResNet (someone@{commit[:7]})").click()
    expect(head).to_have_count(0)
    page.get_by_role("button", name=f"Remove Mini ResNet (someone@{commit[:7]})").click()
    expect(page.locator("#models .brought")).to_have_count(0)


def test_updates_stay_under_2_kb_beside_four_third_party_networks(page, fake_hub):
    for digit in range(1, 5):
        id = f"{str(digit) * 42}/lenet5.mnist"  # as long a name as the Hub allows
        fake_hub.push(id, default_weights_dir() / "lenet5.mnist")
        add(page, id)
        expect(page.locator("#lineup .board-brought")).to_have_count(digit)
    sizes = update_sizes(page)
    for step in page.locator("input[name=step]:enabled").all():
        step.evaluate("each => each.click()")  # those of a photograph are hidden
    page.evaluate("scrollTo(0, 0)")
    draw(page, [(0.1 + 0.8 * ((7 * i) % 11) / 10, 0.1 + 0.8 * ((5 * i) % 13) / 12) for i in range(40)], steps=3)
    expect(page.locator("#lineup .board-winner")).not_to_have_count(0)
    assert sizes and max(sizes) < 2048


def test_of_sixty_ids_in_an_address_four_are_requested(page, fake_hub):
    names = [f"nobody{number}/mini_resnet.mnist" for number in range(60)]
    url = page.url.partition("#")[0]
    page.goto("about:blank")
    page.goto(f"{url}#d=mnist&m={','.join(['mini_resnet', *names])}")
    expect(page.locator("#bring")).to_contain_text(
        "The address names 60 third-party checkpoints; only the first 4 are added."
    )
    expect(page.locator("#bring")).to_contain_text("the Hub has no nobody3/mini_resnet.mnist")
    page.evaluate(PAINTED)  # a fifth would be requested by now
    assert page.locator("#bring").get_attribute("aria-busy") is None
    asked = [path for _, path in fake_hub.requests if path.startswith("/api/models/")]
    assert {path.split("/")[3] for path in asked} == {f"nobody{number}" for number in range(4)}


def test_a_network_predicts_as_soon_as_it_is_downloaded(browser, fake_hub, tmp_path):
    gate = threading.Event()
    for id in ("lenet5.mnist", "googlenet.mnist"):
        fake_hub.push(f"someone/{id}", default_weights_dir() / id)
    weights = (default_weights_dir() / "googlenet.mnist" / WEIGHTS).read_bytes()
    fake_hub.fail("GET", f"/cdn/{hashlib.sha256(weights).hexdigest()}", first=lambda: gate.wait(60))
    with opened(browser, ModelHub(tmp_path, "someone", public=True)) as page:
        draw(page, SEVEN)
        place = page.locator("#lineup .board-missing[data-model=googlenet]")
        expect(place.locator("progress")).to_be_visible()
        expect(page.locator("#verdict")).to_contain_text("LeNet-5 reads 7")
        gate.set()
        expect(place).to_have_count(0)
        expect(page.locator("#lineup td.board-winner[data-model=googlenet]")).to_have_count(1)
