"""Links to a part of the page, in Chromium."""

from playwright.sync_api import expect

from tests.browser.test_page import SEVEN, draw

CHOSEN = "[role=tab][aria-selected=true]"


def test_a_link_opens_a_tab_and_its_section_and_the_address_follows_the_tabs(page):
    draw(page, SEVEN)
    page.wait_for_url("**p=t*")
    drawn = page.url.split("#")[1]
    page.evaluate("""document.querySelector(".masthead").insertAdjacentHTML(
        "beforeend", '<a href="#t=training.leaderboard">Leaderboard</a>')""")
    page.get_by_role("link", name="Leaderboard").click()
    expect(page.locator("#training-leaderboard")).to_be_in_viewport()
    page.wait_for_url(f"**{drawn}&t=training.leaderboard")
    page.go_back()
    page.wait_for_url(f"**{drawn}")
    expect(page.locator("#sketchpad canvas")).to_be_visible()
    page.get_by_role("tab", name="Layers").click()
    page.wait_for_url(f"**{drawn}&t=layers")
    page.reload()
    expect(page.locator(f"#layers-button{CHOSEN}")).to_be_visible()
    expect(page.locator("#layers-page")).to_be_visible()
