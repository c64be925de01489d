"""The page in a real browser, whatever is learned: keys, sizes and themes, who is kept out, and how it watches a training and ends."""

import http.server
import re
import threading

import pytest
from browser import epoch, eventually, status
from page_client import Command


def test_it_is_used_by_keys_alone(opened):
    page = opened()
    page.focus("#run")
    page.keyboard.press("Space")
    eventually(page, lambda: epoch(page) > 1000)
    page.keyboard.press("Space")
    eventually(page, lambda: status(page) == "paused")
    assert "paused: epoch" in page.inner_text("#told")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "step"
    page.focus("#network")
    assert "Unit 1 of layer 1: bias" in page.inner_text("#network-told")
    page.keyboard.press("ArrowDown")
    assert "Unit 2 of layer 1: bias" in page.inner_text("#network-told")
    page.keyboard.press("ArrowRight")
    assert "Output xor: bias" in page.inner_text("#network-told")


NAMELESS = """() => [...document.querySelectorAll(
    "button, input, select, textarea, canvas, svg[tabindex], table, section")].filter((each) => {
  const labels = each.labels ? [...each.labels].map((label) => label.textContent.trim()).join("") : "";
  const by = each.getAttribute("aria-labelledby");
  const caption = each.tagName === "TABLE" && each.closest("section");
  return !(labels || each.getAttribute("aria-label") || by || caption || (each.tagName === "BUTTON" && each.textContent.trim()));
}).map((each) => each.outerHTML.slice(0, 100))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_is_named(opened, pictures, width, scheme):
    page = opened(viewport={"width": width, "height": 740}, color_scheme=scheme, reduced_motion="reduce")
    page.locator("#settings").evaluate("(each) => { each.open = true; }")
    for data in ("xor", "spiral", "csv", "points"):
        page.select_option("#data", data)
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(NAMELESS) == []
    assert page.get_attribute("html", "data-theme") == scheme
    pictures(page, f"{scheme}-{width}")
    other = "dark" if scheme == "light" else "light"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == other
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background


class _Blank(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


TRY = """async (address) => {
  const tried = [fetch(address + "choices"), fetch(address + "choices", { mode: "no-cors" }),
    fetch(address + "sessions", { method: "POST", mode: "no-cors", body: "{}" }),
    fetch(address + "sessions", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" })];
  return (await Promise.allSettled(tried)).map((each) => each.status === "fulfilled" ? each.value.status || each.value.type : "refused");
}"""


def test_another_origin_and_a_missing_token_are_refused(chromium, play, opened):
    """Even to a page that knows the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        answers = page.evaluate(TRY, play.address)
        assert set(answers) <= {"refused", "opaque"}  # of which a page can't read anything
        assert answers[0] == answers[3] == "refused"
        for address in (
            re.sub(r"[^/]+/$", "", play.address),
            play.address[:-4] + "/",
            play.address.replace("127.0.0.1", "localhost"),
        ):
            answer = page.goto(address)
            assert answer.status == 403
    server.shutdown()
    server.server_close()


def test_a_training_is_watched_paused_and_stopped(opened, pictures):
    with Command("train", "--gate", "xor", "--epochs", "1e15", "--watch", "--no-browser", stream="stderr") as running:
        page = opened(address=running.address)
        assert page.inner_text("#mode") == "watch"
        assert not page.is_visible("#form")
        eventually(page, lambda: status(page) == "running")
        before = page.inner_text("#epoch")
        eventually(page, lambda: page.inner_text("#epoch") != before)
        page.click("#run")
        eventually(page, lambda: status(page) == "paused" and page.inner_text("#run") == "Run")
        pictures(page, "watched")
        page.click("#run")
        eventually(page, lambda: status(page) == "running")
        page.click("#stop")
        eventually(page, lambda: status(page) == "done")
        assert running.process.wait(600) == 130
        page.wait_for_selector("body[data-ended]")
        assert page.inner_text("#status").startswith("The training has ended")
        assert page.locator("#costs path.curve").count() == 1


def test_the_page_says_that_the_command_has_ended(chromium, pictures):
    from playwright.sync_api import Error

    with Command("play", "--no-browser") as running, chromium.new_context() as context:
        page = context.new_page()
        page.goto(running.address)
        page.wait_for_selector("body[data-status]")
        page.click("#run")
        running.process.terminate()
        assert running.process.wait(600) == 0
        page.wait_for_selector("body[data-ended]", timeout=600_000)
        assert page.inner_text("#status").startswith("The command has ended")
        assert page.is_disabled("#run")
        pictures(page, "ended")
        with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
            page.goto(running.address)
