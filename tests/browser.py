"""A page in a real browser, Chromium by Playwright, as tests look at it. Errors in its console fail them, such as what the policy of
content forbids. A picture of each state is among the temporary files.
"""

import shutil
import time

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    with playwright.sync_playwright() as one:
        browser = one.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def pictures(request, tmp_path):
    """A function that keeps a picture of a page."""

    def keep(page, name):
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)

    return keep


@pytest.fixture
def opened(chromium, play):
    """A function that opens the page, ready to run, in a window of its own; what its console says of errors is none."""
    contexts, said = [], []

    def open_page(fragment="", address=None, context=None, **options):
        if context is None:
            context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(300_000)
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((address or play.address) + fragment)
        page.wait_for_selector("body[data-status]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def eventually(page, holds):
    """Look until something holds, as it does sooner or later."""
    last = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < last
        page.wait_for_timeout(20)


def status(page):
    return page.get_attribute("body", "data-status")


def epoch(page):
    """The exact one, as the field beside the slider has it."""
    return int(page.input_value("#back-epoch"))


def picture(page):
    """The pixels of the surface."""
    return page.evaluate("document.getElementById('surface').toDataURL()")


def put(page, field, text):
    page.fill(field, text)
    page.dispatch_event(field, "change")
