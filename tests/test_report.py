"""Reports: one file that loads nothing, tells what a run is, and says how to have it again, to the bit."""

import html
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from command_line import write
from conftest import assert_refused

import fastgd
from fastgd import schedules
from fastgd.cli import main
from fastgd.report.again import scheme_of
from fastgd.report.reproduce import call_of, command_of
from fastgd.report.surface import surface_of

VOID = {"meta", "path", "circle", "image", "rect"}
NASTY = "<script src='https://example.org/x.js'>\"&"


class Page(HTMLParser):
    """Elements, attributes and texts of a page, having seen that every element ends where it should."""

    def __init__(self, path):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)
        assert self.open == []
        assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(self.tags)
        for name, value in self.attributes:
            assert not name.startswith("on")
            assert name not in ("src", "href") or value.startswith("data:image/png;base64,")
        assert ("content", "default-src 'none'; img-src data:; style-src 'unsafe-inline'") in self.attributes
        assert "url(" not in self.text
        assert "@import" not in self.text

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag):
        return [text for where, text in self.texts if where == tag]

    def rows(self):
        """{first cell: the others} of all tables."""
        found = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', self.text)
        return {html.unescape(name): [html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", rest)] for name, rest in found}


@pytest.fixture
def page(tmp_path):
    """The page of a run by these arguments of `report`."""

    def written(run, *arguments, **named):
        run.report(tmp_path / "page.html", *arguments, **named)
        return Page(tmp_path / "page.html")

    return written


@pytest.fixture(scope="module")
def xor():
    X, Y = fastgd.data.gate("xor")
    net = fastgd.MLP(2, 2, 1)
    return fastgd.train(net, X, Y, 200, 0.5, rng=3, kernel="matrix"), X, Y


def test_a_run(page, xor):
    run, *_ = xor
    found = page(run)
    rows = found.rows()
    assert rows["network"] == ["2-2-1, sigmoid, sigmoid, squared_error, float64: 9 parameters"]
    assert rows["cost"] == [f"{run.cost:.6g}"]
    assert rows["seed"] == ["3"]
    assert rows["stopped"] == ["at epoch 200: all epochs are done"]
    assert rows["learning_rate"] == ["0.5"]
    assert rows["0"] == [f"{run.history.cost[0]:.6g}"]
    assert rows["200"] == [f"{run.history.cost[-1]:.6g}"]
    assert found.of("h2") == ["Summary", "Cost", "Network", "Surface", "Options", "How to have it again"]
    assert len(found.text) < 30_000
    assert "numpy" in found.of("footer")[0]


def test_a_run_that_has_diverged(page, xor):
    """What it computes goes beyond numbers, and warns of nothing."""
    net = fastgd.MLP(2, 2, 1, activation="relu", output="identity")
    with pytest.raises(fastgd.DivergedError) as error:
        fastgd.train(net, *xor[1:], 100_000, 50.0, rng=0)
    assert "Surface" in page(error.value.run, *xor[1:]).of("h2")


def test_validation_and_its_best_epoch(page, xor):
    _, X, Y = xor
    options = {"validation": (X[:2], Y[:2]), "restore_best": True, "kernel": "matrix"}
    run = fastgd.train(fastgd.MLP(2, 2, 1), X, Y, 50, rng=0, **options)
    rows = page(run).rows()
    best = run.history.validation.argmin()
    assert rows["best epoch"] == [f"{run.history.epoch[best]:,}, with a validation cost of {run.history.validation.min():.6g}"]
    assert rows["validation cost"] == [f"{run.history.validation.min():.6g}"]
    assert rows["parameters"] == ["those of the best epoch"]
    assert [f"{run.history.cost[0]:.6g}", f"{run.history.validation[0]:.6g}"] == rows["0"]


OPTIONS = {
    "as they are": {},
    "batches": {"batch_size": 3, "shuffle": False, "l2": (0.01, 0.1), "clip_norm": 0.5},
    "momentum": {"optimizer": fastgd.SGD(momentum=0.9, nesterov=True), "learning_rate": schedules.Constant(0.2, warmup=5)},
    "adam": {"optimizer": fastgd.Adam(beta1=0.8, eps=1e-7, amsgrad=True), "learning_rate": schedules.Cosine(0.1, 30, least=0.01)},
    "rates": {"learning_rate": schedules.Rates([0.5, 0.25, 0.1], every=3), "batch_size": 2},
    "pieces": {"learning_rate": schedules.Piecewise(0.5, [5, 8], [0.1, 0.05])},
    "plateau": {"learning_rate": schedules.Plateau(2.0, patience=3, threshold=0.01)},
    "noise": {"dropout": 0.3, "input_noise": 0.1, "max_norm": 1.5, "l1": 0.001},
    "differences": {"method": "central_difference", "eps": 0.01, "record": 7, "spacing": "log"},
    "stopped": {"patience": 3, "min_delta": 0.01, "restore_best": True, "target_cost": 1e-9},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_how_to_have_it_again(options, xor, command):
    """By Python and by the command: the very run. The command reads its rows from a file."""
    _, X, Y = xor
    net = fastgd.MLP(2, 3, 1, activation=["leaky_relu(0.2)", "sigmoid"], loss="huber(0.5)", dtype="float64")
    run = fastgd.train(net, X, Y, 20, rng=2**62 + 1, kernel="matrix", **options)
    names = {"X": X, "Y": Y}
    exec(call_of(run), names)
    again = names["run"]
    if run.stopped_by == "epochs":
        assert again == run
    else:  # so many epochs are asked for, and none beyond: that is all that differs
        assert run.epochs < 20
        assert again.history == run.history
        assert (again.cost, again.stopped_by, again.best_epoch) == (run.cost, run.stopped_by, run.best_epoch)
        assert np.array_equal(again.params, run.params)
    np.savez("ROWS.npz", X=X, Y=Y)
    words = shlex.split(command_of(run))
    assert words[0] == "fastgd"
    command(*words[1:], "--out", "again.npz")
    assert np.array_equal(fastgd.load_run("again.npz").params, run.params)


def test_how_to_have_a_table_again(command, flowers, page):
    """Names with commas and quotes too; and rows beside the run."""
    rows = [[*row[:2], row[2]] for row in flowers]
    write("ROWS.csv", ["a, 'b", "-c", "kind"], rows)
    command("train", "ROWS.csv", "--target", "kind", "--layers", "2-3-3", "--epochs", 30, "--seed", 4, "--out", "run.npz")
    run = fastgd.load_run("run.npz")
    command(*shlex.split(command_of(run))[1:], "--out", "again.npz")
    assert fastgd.load_run("again.npz") == run
    assert command("report", "run.npz", "--data", "ROWS.csv") == "written to run.html\n"
    found = Page(Path("run.html"))
    assert found.rows()["kind"] == ["target", "classes lily, rose, tulip"]
    assert html.unescape(" ".join(found.of("code"))).count(command_of(run)) == 1
    titles = found.of("title")
    assert any(title.startswith("Output over a, 'b and -c: lily, rose, tulip") for title in titles)
    assert "dots are rows" in found.text


def test_initial_parameters_that_rows_tell(xor, page):
    _, X, Y = xor
    net = fastgd.MLP(2, 2, 1)
    for scheme in ("auto", "uniform", "he"):
        run = fastgd.train(net, X, Y, 5, rng=1, params=net.init(1, scheme), kernel="matrix")
        assert scheme_of(run, X, Y) == scheme
    names = {"X": X, "Y": Y}
    exec(call_of(run, "he"), names)
    assert names["run"] == run
    assert "--init he" in page(run, X, Y).text
    assert scheme_of(fastgd.train(net, X, Y, 5, rng=1, params=net.init(2), kernel="matrix"), X, Y) is None


def test_two_runs(page, xor):
    run, X, Y = xor
    other = fastgd.train(fastgd.MLP(2, 3, 1), X, Y, 100, 0.5, rng=4, kernel="matrix", optimizer="adam", batch_size=2)
    found = page(run, X, Y, beside=other)
    rows = found.text.partition("Costs over one another")[0]
    names = re.findall(r'<th scope="row">(.*?)</th>', rows)
    assert set(names) == {"cost", "epochs", "time", "seed", "widths", "optimizer", "batch_size"}
    assert '<th scope="row">seed</th><td>3</td><td>4</td>' in rows
    assert "learning_rate" in rows.partition("Alike")[2]
    assert sum("this run: training" in title and "the other run: training" in title for title in found.of("title")) == 1
    same = page(run, beside=run)
    assert "parameters" in same.text.partition("Alike")[2].partition("</p>")[0]


def test_names_are_text(page, xor):
    run, *_ = xor
    table = {
        "inputs": [NASTY, "b"], "targets": [NASTY], "classes": None, "outputs": 1, "input_shift": [0.0, 1.0],
        "input_scale": [1.0, 2.0], "target_shift": [0.0], "target_scale": [1.0],
    }  # fmt: skip
    found = page(run.with_values(table=table))
    assert NASTY in found.rows()
    assert found.rows()["b"] == ["input", "(value - 1) / 2"]


def test_functions_of_ones_own(folder, command, xor):
    """A file has their texts, which are shown and not run: nothing is computed by them."""
    _, X, Y = xor
    mine = fastgd.Activation(lambda z, a=1.0: fastgd.numeric.where(z < 0.5, a * z, z * z), name="mine")
    run = fastgd.train(fastgd.MLP(2, 2, 1, activation=[mine(0.25), "sigmoid"]), X, Y, 3, rng=0, kernel="matrix")
    run.save("run.npz")
    run.report("python.html")
    command("report", "run.npz")
    by_python, by_command = Page(Path("python.html")), Page(Path("run.html"))
    for found in (by_python, by_command):
        assert any(code.startswith("def mine") for code in found.of("code"))
        assert "activation=[mine(0.25), &#x27;sigmoid&#x27;]" in found.text
        assert "fastgd train" not in found.text
    assert "Surface" in by_python.of("h2")
    assert "Surface" not in by_command.of("h2")


def test_the_two_inputs_that_matter():
    X = np.random.default_rng(0).normal(size=(50, 4))
    net = fastgd.MLP(4, 1, activation="identity")
    run = fastgd.train(net, X, X[:, 0], 0, rng=0, params=net.pack([([[0.1, 3.0, 0.0, -2.0]], [0.5])]), kernel="matrix")
    found = surface_of(run, X, X[:, :1])
    assert found.names == ("x1", "x3")
    held = np.median(X, axis=0)
    expected = 0.1 * held[0] + 3 * found.x[None] - 2 * found.y[:, None] + 0.5
    np.testing.assert_allclose(found.values, expected)
    np.testing.assert_array_equal(found.points, X[:, [1, 3]])
    assert surface_of(run, None, None) is None


def test_units_of_a_table():
    net = fastgd.MLP(2, 1, activation="identity")
    run = fastgd.train(net, [[0.0, 0.0], [1.0, 2.0]], [0.0, 1.0], 0, rng=0, params=[1.0, 2.0, 0.5], kernel="matrix")
    table = {
        "inputs": ["a", "b"], "targets": ["t"], "classes": None, "outputs": 1, "input_shift": [10.0, 0.0],
        "input_scale": [2.0, 1.0], "target_shift": [100.0], "target_scale": [3.0],
    }  # fmt: skip
    found = surface_of(run.with_values(table=table), None, None)
    np.testing.assert_allclose(found.values, 100 + 3 * ((found.x[None] - 10) / 2 + 2 * found.y[:, None] + 0.5))


def test_members(folder, command, xor):
    _, X, Y = xor
    runs = fastgd.train_many(fastgd.MLP(2, 2, 1), X, Y, 50, [0.1, 1.0, 2.0] * 5, rng=0, record=10)
    runs.save("runs.npz")
    np.savez("rows.npz", X=X, Y=Y)
    command("report", "runs.npz", "--data", "rows.npz", "--out", "all.html")
    runs.report("python.html", X, Y)
    for found in (Page(Path("all.html")), Page(Path("python.html"))):
        rows, order = found.rows(), np.argsort(runs.cost)
        assert rows["members"] == ["15"]
        assert rows["cost"][0].startswith(f"least {runs.cost.min():.6g}, median {np.median(runs.cost):.6g}")
        best = rows[str(order[0])]
        assert best[0] == f"{runs.cost.min():.6g}"
        assert best[3:] == [str(runs.seeds[order[0]]), f"{runs.learning_rate[order[0]]:g}"]
        assert "up to rounding" in found.text


def test_what_is_refused(tmp_path, xor, refused):
    run, X, Y = xor
    path = tmp_path / "page.html"
    path.write_text("before")
    assert_refused(lambda: run.report(path, Y=Y), ValueError, ["Y", "alone"])
    assert_refused(lambda: run.report(path, X[:, :1]), ValueError, ["X", "2"])
    assert_refused(lambda: run.report(path, X, Y[:3]), ValueError, ["4", "3"])
    assert_refused(lambda: run.report(path, beside="run.npz"), TypeError, ["beside", "'run.npz'"])
    assert path.read_text() == "before"
    with pytest.raises(OSError, match="nowhere"):
        run.report(tmp_path / "nowhere" / "page.html")
    run.save("run.npz")
    fastgd.train_many(run.net, X, Y, 1, members=2, rng=0).save("runs.npz")
    assert refused("report", "run.npz", "--out", "run.npz") == "--out would replace run.npz, which is read; name another file"
    assert "runs.npz" in refused("report", "run.npz", "runs.npz")
    assert "missing.npz" in refused("report", "missing.npz")
    np.savez("rows.npz", X=np.zeros((3, 3)))
    assert "must have 2 columns" in refused("report", "run.npz", "--data", "rows.npz")
    assert not (tmp_path / "run.html").exists()


def test_help_says_what_it_does(capsys):
    assert main(["report", "--help"]) == 0
    assert "fastgd report before.npz after.npz --out both.html" in capsys.readouterr().out


def test_a_gate_by_its_name(command):
    """The rows are known then, and so the command that makes the very run, be they given by Python too."""
    command("train", "--gate", "xor", "--epochs", 40, "--seed", 5, "--kernel", "matrix", "--out", "run.npz")
    command("report", "run.npz", "--gate", "xor")
    (shown,) = (html.unescape(code) for code in Page(Path("run.html")).of("code") if code.startswith("fastgd train"))
    assert "--gate xor" in shown
    assert "--init uniform" in shown
    command(*shlex.split(shown)[1:], "--out", "again.npz")
    run = fastgd.load_run("run.npz")
    assert fastgd.load_run("again.npz") == run
    run.report("python.html", *fastgd.data.gate("xor"))
    assert shown in map(html.unescape, Page(Path("python.html")).of("code"))
    run.report("other.html", *fastgd.data.gate("or"))
    assert "--gate or" in Page(Path("other.html")).text
    assert "--init uniform" not in Page(Path("other.html")).text


def test_a_gate_and_a_file_are_refused(refused, capsys):
    assert "not allowed with argument" in refused("report", "run.npz", "--gate", "xor", "--data", "rows.npz")
