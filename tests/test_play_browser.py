"""The page of `fastgd play` in a real browser: Chromium, by Playwright. Errors in its console fail the tests, such as what the policy of
content forbids. A picture of each state is among the temporary files.
"""

import http.server
import re
import shutil
import threading
import time

import pytest
from page_client import Command

import fastgd

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing: apt-get install chromium")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
XOR = ["#epochs", "1000000"]  # learned in a fraction of a second


@pytest.fixture(scope="module")
def command():
    with Command("play", "--no-browser") as running:
        yield running


@pytest.fixture(scope="module")
def chromium():
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
def opened(chromium, command):
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
        page.goto((address or command.address) + fragment)
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


def test_xor_learns_and_the_surface_changes(opened, pictures):
    page = opened()
    before = picture(page)
    pictures(page, "at-first")
    put(page, *XOR)
    page.click("#run")
    eventually(page, lambda: status(page) == "done")
    assert picture(page) != before
    assert page.inner_text("#right") == "100 %"
    assert float(page.inner_text("#cost")) < 1e-4
    outputs = [float(row.split("\t")[-1]) for row in page.inner_text("#rows-table tbody").splitlines()]
    assert [round(output) for output in outputs] == [0, 1, 1, 0]
    assert page.locator("#network path.plus").count() > 0
    assert page.locator("#network path.minus").count() > 0
    assert page.locator("#costs path.curve").get_attribute("d").count("L") > 20
    pictures(page, "learned")


def test_pause_step_back_and_reset(opened, pictures):
    page = opened()
    page.click("#step")
    eventually(page, lambda: epoch(page) == 1)
    page.click("#step")
    eventually(page, lambda: epoch(page) == 2)
    page.click("#run")
    eventually(page, lambda: status(page) == "running" and epoch(page) > 10_000)
    assert page.inner_text("#run") == "Pause"
    page.click("#run")
    eventually(page, lambda: status(page) == "paused" and page.inner_text("#run") == "Run")
    pictures(page, "paused")
    page.fill("#back-epoch", "1234")
    page.click("#back-go")
    eventually(page, lambda: page.inner_text("#epoch") == "1,234")
    X, Y = fastgd.data.gate("xor")
    net = fastgd.MLP(2, 2, 1)
    run = fastgd.train(net, X, Y, 1234, 0.5, params=net.init(0, "uniform"), rng=0, kernel="unrolled")
    assert float(page.inner_text("#cost")) == float(f"{run.cost:.4g}")
    pictures(page, "back")
    page.focus("#back")  # by the keyboard, to the very first epoch
    page.keyboard.press("Home")
    eventually(page, lambda: page.inner_text("#epoch") == "0")
    page.mouse.move(0, 0)
    box = page.locator("#costs").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    eventually(page, lambda: epoch(page) > 10)
    page.click("#step")
    here = epoch(page)
    eventually(page, lambda: epoch(page) == here + 1)
    page.click("#reset")
    eventually(page, lambda: page.inner_text("#epoch") == "0")


def test_reload_keeps_the_settings(opened):
    page = opened()
    page.select_option("#data", "spiral")
    put(page, "#rows", "60")
    page.click("#add-layer")
    page.select_option("#layer-3-activation", "relu")
    page.select_option("#optimizer", "nadam")
    put(page, "#optimizer-numbers input >> nth=0", "0.8")
    page.click("#next-seed")
    eventually(page, lambda: "rng=1," in page.inner_text("#python"))
    program = page.inner_text("#python")
    for words in ("fastgd.data.spiral(60, 0.03, 1)", "MLP(2, 16, 16, 16, 1, activation=", "'relu'", "NAdam(beta1=0.8)", "rng=1,"):
        assert words in program
    page.reload()
    page.wait_for_selector("body[data-status]")
    assert page.inner_text("#python") == program
    assert page.input_value("#data") == "spiral"
    assert page.input_value("#layer-3-activation") == "relu"
    assert page.input_value("#optimizer-numbers input >> nth=0") == "0.8"
    page.click("#defaults")
    eventually(page, lambda: page.inner_text("#network-shape").startswith("2-2-1,"))
    assert "#" not in page.url


def test_a_second_tab_does_not_disturb(opened):
    one = opened()
    other = opened(context=one.context)
    put(one, *XOR)
    one.click("#run")
    other.select_option("#data", "and")
    other.click("#step")
    eventually(other, lambda: epoch(other) == 1)
    other.close()
    one.bring_to_front()
    eventually(one, lambda: status(one) == "done")
    assert one.inner_text("#title") == "The gate XOR"
    assert one.inner_text("#right") == "100 %"


@pytest.mark.parametrize(
    "wrong", ["hidden=3", "hidden=[3]", "methods=%22x%22", "points=[7]", "optimizer=%22constructor%22", "schedule_numbers=null"]
)
def test_an_address_of_no_settings_opens_with_the_first(opened, wrong):
    page = opened(f"#seed=7&{wrong}")
    assert page.input_value("#seed") == "0"
    assert page.input_value("#layer-1-units") == "2"
    assert page.inner_text("#title") == "The gate XOR"


def test_errors_stand_beside_their_fields(opened, pictures):
    page = opened()
    put(page, "#learning_rate", "")
    words = "learning_rate must be a finite number; got ''"
    eventually(page, lambda: page.inner_text("#error-learning_rate") == words)
    assert page.get_attribute("#learning_rate", "aria-invalid") == "true"
    assert "error-learning_rate" in page.get_attribute("#learning_rate", "aria-describedby")
    pictures(page, "refused")
    put(page, "#learning_rate", "0.25")
    eventually(page, lambda: page.inner_text("#error-learning_rate") == "")
    assert page.get_attribute("#learning_rate", "aria-invalid") is None
    page.select_option("#output", "softmax")
    eventually(page, lambda: "always 1 over a single unit" in page.inner_text("#error-output"))


def test_the_race(opened, pictures):
    page = opened()
    page.select_option("#data", "nand")
    page.click("[aria-label='Remove hidden layer 1']")
    for method in ("layerwise", "finite_difference"):
        page.check(f"#methods input[value={method}]")
    put(page, "#epochs", "20000")
    eventually(page, lambda: page.locator("#race tbody tr").count() == 3 and page.inner_text("#network-shape").startswith("2-1,"))
    page.click("#run")
    eventually(page, lambda: status(page) == "done")
    rows = [row.split("\t") for row in page.inner_text("#race tbody").splitlines() if "\t" in row]
    assert [row[-4] for row in rows] == ["20,000"] * 3
    assert page.locator("#costs path.curve").count() == 3
    pictures(page, "race")
    page.hover("#network circle >> nth=2")
    first = page.inner_text("#network-readout")
    page.check("#race input >> nth=2")
    page.hover("#network circle >> nth=1")
    page.hover("#network circle >> nth=2")
    eventually(page, lambda: page.inner_text("#network-readout") not in ("", first) and "bias" in page.inner_text("#network-readout"))
    assert page.inner_text("#command").count("fastgd train") == 3


def test_points_are_put_by_clicks_and_by_keys(opened, pictures):
    page = opened()
    page.select_option("#data", "points")
    eventually(page, lambda: page.inner_text("#title") == "Your 8 points")
    page.click("#surface", position={"x": 40, "y": 60})
    eventually(page, lambda: page.inner_text("#title") == "Your 9 points")
    page.check("input[name=class][value='1']")
    page.focus("#surface")
    page.keyboard.press("ArrowRight")
    assert "x1 0.0" in page.inner_text("#surface-told")
    page.keyboard.press("Enter")
    eventually(page, lambda: page.inner_text("#title") == "Your 10 points")
    lines = page.input_value("#points-text").splitlines()
    assert lines[-2].endswith(" 0")
    assert lines[-1].endswith(" 1")
    page.click("#run")
    eventually(page, lambda: page.inner_text("#right") == "100 %")
    pictures(page, "points")
    page.click("#clear-points")
    eventually(page, lambda: "points must be of both classes" in page.inner_text("#error-points"))


def test_a_table_is_chosen(opened, pictures, tmp_path):
    rows = "\n".join(f"{w},{h},{w * h},{'tall' if h > w else 'wide' if w > h else 'square'}" for w in range(1, 6) for h in range(1, 6))
    (tmp_path / "boxes.csv").write_text(f"width,height,area,kind\n{rows}\n")
    page = opened()
    page.select_option("#data", "csv")
    eventually(page, lambda: "choose a CSV file" in page.inner_text("#error-csv"))
    page.set_input_files("#csv", tmp_path / "boxes.csv")
    eventually(page, lambda: page.inner_text("#network-shape").startswith("3-16-16-3,"))
    assert page.input_value("#target") == "kind"
    page.click("#run")
    eventually(page, lambda: page.inner_text("#right") == "100 %")
    page.select_option("[aria-label='Output that is shown']", label="wide")
    eventually(page, lambda: page.get_attribute("#surface", "aria-label") == "wide over width and height")
    pictures(page, "table")
    page.select_option("#target", "area")
    eventually(page, lambda: "column 'kind': expected a finite number; got 'square'" in page.inner_text("#error-csv"))
    page.select_option("#target", "kind")
    eventually(page, lambda: page.inner_text("#error-csv") == "")
    page.reload()
    page.wait_for_selector("body[data-status]")
    assert page.inner_text("#title") == "boxes.csv: 25 rows, kind by scaled inputs"


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


def test_another_origin_and_a_missing_token_are_refused(chromium, command, opened):
    """Even to a page that knows the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        answers = page.evaluate(TRY, command.address)
        assert set(answers) <= {"refused", "opaque"}  # of which a page can't read anything
        assert answers[0] == answers[3] == "refused"
        for address in (
            re.sub(r"[^/]+/$", "", command.address),
            command.address[:-4] + "/",
            command.address.replace("127.0.0.1", "localhost"),
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
        with pytest.raises(playwright.Error, match="ERR_CONNECTION_REFUSED"):
            page.goto(running.address)
