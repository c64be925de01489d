"""Runs as JSON and CSV, and `fastgd export`: what is written is read back, by json, csv and load_run."""

import csv
import json

import numpy as np
import pytest
from command_line import write
from conftest import assert_refused, random_problem
from exported_networks import OWN, table_of_classes

import fastgd


def runs():
    """Of each dtype, with and without biases, optimizer's numbers, a table, functions of one's own."""
    net = fastgd.MLP(3, 4, 2, activation=["tanh", "identity"], bias=False, dtype="float32")
    X, Y, params = random_problem(net, 10)
    held_out = random_problem(net, 5, seed=1)[:2]
    yield fastgd.train(net, X, Y, 30, 0.2, params=params, rng=3, batch_size=4)
    yield fastgd.train(
        net, X, Y, 30, fastgd.schedules.Cosine(0.1, steps=100), optimizer=fastgd.Adam(beta1=0.8), rng=1, validation=held_out, patience=5
    )
    yield fastgd.train(fastgd.MLP(2, 2, 1), *fastgd.data.gate("xor"), 20, 1.0, rng=0)
    yield fastgd.train(fastgd.MLP(2, 2, 1, activation=[OWN(0.25), "sigmoid"]), *fastgd.data.gate("xor"), 0, rng=0)


def test_json_is_read_back_as_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for run in [*runs(), table_of_classes("text")[0]]:
        run.to_json("run.json")
        again = fastgd.load_run("run.json", activations=[OWN])
        assert again == run
        assert again.seconds == run.seconds
        np.testing.assert_array_equal(again.params, run.params)
        assert again.params.dtype == run.params.dtype
        assert again.options == run.options


def test_json_goes_on_to_the_same_bits(tmp_path):
    X, Y = fastgd.data.gate("xor")
    options = {"optimizer": "adam", "batch_size": 2, "learning_rate": 0.1, "rng": 1}
    net = fastgd.MLP(2, 2, 1)
    fastgd.train(net, X, Y, 7, **options).to_json(tmp_path / "run.json")
    more = fastgd.train(net, X, Y, 5, params=fastgd.load_run(tmp_path / "run.json"), **{**options, "rng": None})
    np.testing.assert_array_equal(more.params, fastgd.train(net, X, Y, 12, **options).params)


def strict(text):
    """The object of a text, in which there is no number that is none of JSON's."""

    def refuse(name):
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


def test_json_as_it_is_documented(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = table_of_classes("text")[0]
    run.to_json("run.json")
    told = strict((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert (told["fastgd"], told["version"]) == ("run", 1)
    assert told["network"]["widths"] == [2, 4, 3]
    assert told["network"]["activation"] == ["tanh", "softmax"]
    for layer, (W, b) in zip(told["layers"], run.net.unpack(run.params), strict=True):
        np.testing.assert_array_equal(layer["W"], W)
        np.testing.assert_array_equal(layer["b"], b)
    assert told["table"] == run.table
    assert told["cost"] == run.cost
    assert told["history"]["cost"] == run.history.cost.tolist()


def test_an_infinite_number_is_text(tmp_path):
    run = next(iter(runs()))
    run.with_values(cost=np.inf).to_json(tmp_path / "run.json")
    assert strict((tmp_path / "run.json").read_text())["cost"] == "inf"
    assert fastgd.load_run(tmp_path / "run.json").cost == np.inf


@pytest.mark.parametrize("change", [
    lambda told: told.pop("layers"),
    lambda told: told.update(fastgd="runs"),
    lambda told: told.update(version=2),
    lambda told: told["layers"].pop(),
    lambda told: told["layers"][0]["W"].pop(),
    lambda told: told["layers"][0]["W"][0].__setitem__(0, "one"),
    lambda told: told["layers"][1]["b"].__setitem__(0, None),
    lambda told: told["network"].update(widths=[2, 0, 1]),
    lambda told: told["state"].popitem(),
])  # fmt: skip
def test_damaged_json_is_refused(change, tmp_path):
    path = tmp_path / "run.json"
    fastgd.train(fastgd.MLP(2, 2, 1), *fastgd.data.gate("xor"), 3, rng=0).to_json(path)
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))
    assert_refused(lambda: fastgd.load_run(path), ValueError, [str(path), "no whole fastgd run"])


@pytest.mark.parametrize("before", ["\ufeff", "\n  ", "\ufeff\r\n"])
def test_json_that_other_programs_have_written_again(before, tmp_path):
    path = tmp_path / "run.json"
    run = fastgd.train(fastgd.MLP(2, 1), *fastgd.data.gate("or"), 3, rng=0)
    run.to_json(path)
    path.write_text(before + json.dumps(json.loads(path.read_text()), indent=4), encoding="utf-8")
    assert fastgd.load_run(path) == run


def put(value, *places):
    """What puts a value at a place of an object."""

    def change(told):
        for place in places[:-1]:
            told = told[place]
        told[places[-1]] = value

    return change


@pytest.mark.parametrize(("change", "words"), [
    (put([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "layers", 0, "W"), ["W of layers[0]", "(3, 2)", "(2, 3)"]),  # as many numbers
    (put([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "layers", 0, "W"), ["W of layers[0]", "(3, 2)", "(6,)"]),
    (put("1.5", "layers", 0, "W", 0, 0), ["W of layers[0]", "numbers", "'1.5'"]),
    (put(True, "layers", 1, "b", 0), ["b of layers[1]", "numbers", "True"]),
    (put("nan", "layers", 0, "W", 0, 0), ["params", "finite"]),
    (put(True, "version"), ["version True"]),
    (put("least", "cost"), ["cost", "a number", "'least'"]),
    (put(-4, "epochs"), ["epochs", "-4"]),
    (put("moon", "stopped_by"), ["stopped_by", "'moon'"]),
    (put(1, "stalled"), ["stalled", "True or False"]),
    (put(None, "kernel"), ["kernel", "text", "None"]),
    (put("x", "seed"), ["seed", "'x'"]),
    (put(1, "options", "speed"), ["options", "'speed'"]),
    (put("fast", "options", "learning_rate"), ["learning_rate", "'fast'"]),
    (put([1.0], "history", "cost"), ["cost of history", "(1,)"]),
    (put(0.5, "history", "epoch", 0), ["epoch of history", "whole numbers", "0.5"]),
    (put("object", "state", "slots", "dtype"), ["dtype of slots of state", "'object'"]),
    (put("x", "table"), ["table", "'x'"]),
    (put({"inputs": ["a"]}, "table"), ["table", "targets"]),
    (lambda told: told.pop("layers"), ["has no layers"]),
    (lambda told: told.pop("cost"), ["has no cost"]),
])  # fmt: skip
def test_json_of_something_wrong_is_refused_by_name(change, words, tmp_path):
    """What no digest guards, since it is there to be written by other programs."""
    path = tmp_path / "run.json"
    fastgd.train(fastgd.MLP(2, 3, 1), *fastgd.data.gate("xor"), 3, rng=0).to_json(path)
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))
    assert_refused(lambda: fastgd.load_run(path), ValueError, [str(path), "no whole fastgd run", *words])


def test_a_table_of_another_network_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table_of_classes("text")[0].to_json("run.json")
    told = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    for change, words in [
        (put("0", "table", "input_shift", 0), ["input_shift of table", "numbers", "'0'"]),
        (put(3, "table", "inputs", 0), ["columns of table", "text", "3"]),
        (lambda t: t["table"].update(outputs=1, classes=[0, 1]), ["table", "2 inputs and 3 outputs", "2 and 1"]),
    ]:
        changed = json.loads(json.dumps(told))
        change(changed)
        (tmp_path / "changed.json").write_text(json.dumps(changed))
        assert_refused(lambda: fastgd.load_run("changed.json"), ValueError, ["changed.json", *words])


def test_text_that_ends_early_is_refused(tmp_path):
    path = tmp_path / "run.json"
    fastgd.train(fastgd.MLP(2, 1), *fastgd.data.gate("or"), 3, rng=0).to_json(path)
    path.write_text(path.read_text()[:300])
    assert_refused(lambda: fastgd.load_run(path), ValueError, [str(path), "no whole fastgd run"])


def test_csv(tmp_path):
    run = next(iter(runs()))
    for each in (run, fastgd.train(fastgd.MLP(2, 3, 1), *fastgd.data.gate("or"), 3, rng=0)):
        each.to_csv(tmp_path / "params.csv")
        with open(tmp_path / "params.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        layers = each.net.unpack(each.params)
        assert [float(row["value"]) for row in rows] == [float(str(value)) for value in each.params]
        for row in rows:
            W, b = layers[int(row["layer"]) - 1]
            value = b[int(row["unit"])] if row["input"] == "" else W[int(row["unit"]), int(row["input"])]
            assert each.net.dtype.type(row["value"]) == value


@pytest.mark.parametrize("path", [None, 3])
def test_what_is_no_path_is_refused(path):
    run = fastgd.train(fastgd.MLP(2, 1), *fastgd.data.gate("or"), 0)
    for write_to in (run.to_json, run.to_csv, run.save):
        assert_refused(lambda write_to=write_to: write_to(path), TypeError, ["path must be a path", str(path)])


# -- the command ---------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(command):
    write("or.csv", ["p", "q", "kind"], [[0, 0, "no"], [1, 0, "yes"], [0, 1, "yes"], [1, 1, "yes"]])
    command("train", "or.csv", "--target", "kind", "--layers", "2-3-2", "--epochs", 200, "--out", "run.npz")
    return fastgd.load_run("run.npz")


def test_command_writes_what_a_run_does(command, saved, tmp_path):
    assert command("export", "run.npz", "--out", "net.h") == ""
    assert (tmp_path / "net.h").read_text() == saved.to_c()
    command("export", "run.npz", "--to", "c", "--out", "net.txt", "--name", "mine", "--dtype", "float32", "--gradient", "--train")
    assert (tmp_path / "net.txt").read_text() == saved.to_c(name="mine", dtype="float32", gradient=True, train=True)
    command("export", "run.npz", "--out", "whole.h", "--fixed-point", "q31", "--input-range", "2")
    assert (tmp_path / "whole.h").read_text() == saved.to_c(fixed_point="q31", input_range=2.0)
    command("export", "run.npz", "--out", "run.json")
    assert fastgd.load_run("run.json") == saved
    assert command("predict", "run.json", "or.csv", stderr="accuracy 1.0000, 4 of 4\n") == "kind\nno\nyes\nyes\nyes\n"
    command("export", "run.npz", "--out", "params.csv")
    saved.to_csv("same.csv")
    assert (tmp_path / "params.csv").read_bytes() == (tmp_path / "same.csv").read_bytes()


def test_command_writes_onnx(command, saved):
    onnxruntime = pytest.importorskip("onnxruntime", reason="no onnxruntime")
    pytest.importorskip("onnx", reason="no onnx")
    command("export", "run.npz", "--out", "net.onnx", "--dtype", "float64")
    session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    labels = session.run(["label"], {"X": np.array([[0.0, 0.0], [1.0, 1.0]])})[0]
    assert labels.tolist() == ["no", "yes"]


def test_command_writes_a_module_of_torch(command, saved):
    torch = pytest.importorskip("torch", reason="no PyTorch")
    command("export", "run.npz", "--out", "net.pt")
    module = torch.load("net.pt", weights_only=False)
    X = np.array([[0.0, 0.0], [1.0, 1.0]])
    expected = saved.predict((X - saved.table["input_shift"]) / saved.table["input_scale"])
    np.testing.assert_allclose(module(torch.from_numpy(X)).detach().numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(("flags", "words"), [
    (["--out", "net.txt"], ["--to", "net.txt", "c, csv, json, onnx, torch"]),
    (["--out", "run.npz", "--to", "json"], ["--out", "replace", "run.npz"]),
    (["--out", "params.csv", "--name", "mine"], ["--name", "csv"]),
    (["--out", "net.onnx", "--gradient"], ["--gradient", "onnx"]),
    (["--out", "net.json", "--fixed-point", "q15"], ["--fixed-point", "json"]),
    (["--out", "net.h", "--input-range", "2"], ["input_range", "fixed_point"]),
    (["--out", "net.h", "--name", "two words"], ["name", "'two words'"]),
    (["--out", "no/net.h"], ["--out", "no folder no"]),
])  # fmt: skip
def test_command_refuses(refused, saved, flags, words):
    told = refused("export", "run.npz", *flags)
    assert [word for word in words if word not in told] == [], told
