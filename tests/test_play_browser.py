"""The page of `fastgd play` in a real browser: what a user sets, runs and puts, from the first gate to a table."""

import pytest
from browser import epoch, eventually, picture, put, status

import fastgd

XOR = ["#epochs", "1000000"]  # learned in a fraction of a second


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
