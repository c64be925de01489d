"""What ends `fastgd train` early, rows it does not train on and rows that weigh more: against histories, NumPy and the library."""

import json

import numpy as np
import pytest
from command_line import write

import fastgd

XOR = ("train", "--gate", "xor", "--learning-rate", 2, "--momentum", 0.9)
LINE = ("train", "houses.csv", "--target", "price", "--layers", "3-1")


def lines(out):
    """{title: text} of a summary."""
    return {line[:11].strip(): line[12:] for line in out.splitlines()}


@pytest.fixture(scope="module")
def costs():
    """The cost of the XOR training above after every epoch; it rises now and then."""
    net = fastgd.MLP(2, 2, 1)
    X, Y = fastgd.data.gate("xor")
    run = fastgd.train(net, X, Y, 400, 2, params=net.init(0, "uniform"), rng=0, optimizer=fastgd.SGD(0.9), record=1000)
    assert run.history.epoch.tolist() == list(range(401))
    assert (np.diff(run.history.cost) > 0).any()
    return run.history.cost


def waited(costs, patience, min_delta=0.0):
    """The epoch at which patience runs out, and the one of the least cost until then, by the rule in words."""
    mark = 0
    for epoch, cost in enumerate(costs):
        if cost < costs[mark] - min_delta:
            mark = epoch
        if epoch - mark >= patience:
            return epoch, int(np.argmin(costs[: epoch + 1]))
    return None


def test_all_epochs(command):
    out = command(*XOR, "--epochs", 1234)
    assert lines(out)["stopped"] == "at epoch 1,234: all epochs are done"
    assert "stalled" not in lines(out)
    assert "restored" not in lines(out)
    facts = json.loads(command(*XOR, "--epochs", 1234, "--json"))
    assert (facts["epochs"], facts["stopped_by"], facts["stalled"], facts["best_epoch"]) == (1234, "epochs", False, 1234)


def test_target_cost(command, costs):
    epoch = int(np.argmax(costs <= 0.2))
    assert 0 < epoch < 400
    out = lines(command(*XOR, "--epochs", 400, "--target-cost", 0.2))
    assert out["stopped"] == f"at epoch {epoch}: cost reached 0.2"
    assert out["training"].startswith(f"{epoch} epochs ")
    assert out["cost"] == f"{costs[0]:.6g} at first, {costs[epoch]:.6g} at last"
    facts = json.loads(command(*XOR, "--epochs", 400, "--target-cost", 0.2, "--json"))
    assert (facts["epochs"], facts["stopped_by"]) == (epoch, "target_cost")


@pytest.mark.parametrize(("patience", "min_delta"), [(5, 0.0), (20, 0.001)])
def test_patience(command, costs, patience, min_delta):
    epoch, best = waited(costs, patience, min_delta)
    flags = ["--epochs", 400, "--patience", patience, *(["--min-delta", min_delta] if min_delta else [])]
    by = f" by more than {min_delta:g}" if min_delta else ""
    assert lines(command(*XOR, *flags))["stopped"] == f"at epoch {epoch}: cost no lower{by} in {patience} epochs"
    facts = json.loads(command(*XOR, *flags, "--json"))
    assert (facts["epochs"], facts["best_epoch"], facts["stopped_by"]) == (epoch, best, "patience")
    assert facts["cost"] == pytest.approx(costs[epoch], rel=1e-12)


def test_restore_best(command, costs):
    epoch, best = waited(costs, 5)
    assert best < epoch
    out = lines(command(*XOR, "--epochs", 400, "--patience", 5, "--restore-best", "--out", "run.npz"))
    assert out["cost"] == f"{costs[0]:.6g} at first, {costs[epoch]:.6g} at last"
    assert out["restored"] == f"the parameters after epoch {best}: cost {costs[best]:.6g}"
    run = fastgd.load_run("run.npz")
    assert run.net.cost(run.params, *fastgd.data.gate("xor")) == pytest.approx(costs[best], rel=1e-12)


def test_max_seconds(command):
    out = lines(command(*XOR, "--epochs", 1e12, "--max-seconds", "0.001m"))
    assert out["stopped"].startswith("at epoch ")
    assert out["stopped"].endswith(": time is up")
    facts = json.loads(command(*XOR, "--epochs", 1e12, "--max-seconds", "0.06s", "--json"))
    assert facts["stopped_by"] == "max_seconds"


def test_stalled(command):
    flags = ("train", "--gate", "nand", "--learning-rate", 1e-12, "--epochs", 10)
    words = "steps have become smaller than half a unit in the last place; more training changes nothing"
    assert lines(command(*flags, "--dtype", "float32"))["stalled"] == f"{words}; try --dtype float64"
    assert "stalled" not in lines(command(*flags))
    assert lines(command(*flags, "--learning-rate", 1e-20))["stalled"] == words
    assert json.loads(command(*flags, "--dtype", "float32", "--json"))["stalled"] is True


@pytest.mark.parametrize("spacing", ["even", "log"])
def test_record_and_spacing(command, spacing):
    command(*XOR, "--epochs", 3000, "--record", 20, "--spacing", spacing, "--threads", 1, "--out", "run.npz")
    net = fastgd.MLP(2, 2, 1)
    options = {"params": net.init(0, "uniform"), "rng": 0, "optimizer": fastgd.SGD(0.9)}
    expected = fastgd.train(net, *fastgd.data.gate("xor"), 3000, 2, record=20, spacing=spacing, **options)
    run = fastgd.load_run("run.npz")
    assert run == expected
    assert len(run.history.epoch) <= 20
    assert (len(set(np.diff(run.history.epoch[:-1]))) == 1) == (spacing == "even")


# -- rows for validation, and weights


def test_a_share_for_validation(command, line):
    """Targets left as they are, the cost of rows is their mean squared error, which the table computes in its own way."""
    flags = (*LINE, "--scale-targets", "none", "--validation", 0.2, "--epochs", 30)
    facts = json.loads(command(*flags, "--out", "run.npz", "--json"))
    assert facts["score"]["rows"] == 32
    assert facts["validation"]["rows"] == 8
    assert facts["cost"] == pytest.approx(facts["score"]["mean_squared_error"]["price"], rel=1e-9)
    assert facts["validation"]["cost"] == pytest.approx(facts["validation"]["mean_squared_error"]["price"], rel=1e-9)
    run = fastgd.load_run("run.npz")
    predicted = run.predict((line[:, :3] - line[:, :3].mean(axis=0)) / [*line[:, :2].std(axis=0), 1])[:, 0]
    mean = (32 * facts["cost"] + 8 * facts["validation"]["cost"]) / 40
    assert np.mean((predicted - line[:, 3]) ** 2) == pytest.approx(mean, rel=1e-9)

    out = command(*flags)
    first, last = run.history.validation[[0, -1]]
    assert lines(out)["validation"] == f"cost {first:.6g} at first, {last:.6g} at last, on 8 rows kept apart"
    scores = [text for text in out.splitlines() if text.startswith("price ")]
    assert scores[0].startswith(f"price       mean squared error {facts['cost']:.6g}, ")
    assert scores[0].endswith(" on the rows it was trained on")
    assert scores[1].startswith(f"price       mean squared error {last:.6g}, ")
    assert scores[1].endswith(" on the validation rows")


def test_a_file_for_validation(command, line):
    """Its columns are found by name, and scaled as the rows that are trained on."""
    other = line[:7, [3, 1, 0, 2]] + [5, 0, 3, 0]
    write("other.csv", ["price", "rooms", "area", "same"], other)
    flags = (*LINE, "--validation", "other.csv", "--epochs", 300, "--target-cost", 0.02)
    facts = json.loads(command(*flags, "--out", "run.npz", "--json"))
    assert facts["stopped_by"] == "target_cost"
    assert facts["score"]["rows"] == 40
    shift, scale = line.mean(axis=0), line.std(axis=0)
    scale[2] = 1
    net = fastgd.load_run("run.npz").net
    (W, b), *_ = net.unpack(fastgd.load_run("run.npz").params)
    Z = (other[:, [2, 1, 3, 0]] - shift) / scale
    cost = np.mean((Z[:, :3] @ W[0] + b[0] - Z[:, 3]) ** 2)
    assert facts["validation"]["cost"] == pytest.approx(cost, rel=1e-9)
    assert 0.01 < cost <= 0.02
    out = lines(command(*flags))
    assert out["stopped"] == f"at epoch {facts['epochs']}: validation cost reached 0.02"
    assert out["validation"].endswith(f"{cost:.6g} at last, on 7 rows of other.csv")


def test_the_best_by_validation_is_restored(command, flowers):
    """The kinds of some validation rows are wrong: their cost falls, then rises."""
    write("wrong.csv", ["length", "width", "kind"], [[*row[:2], "lily" if i % 4 == 0 else row[2]] for i, row in enumerate(flowers)])
    flags = ("train", "flowers.csv", "--target", "kind", "--layers", "2-8-3", "--epochs", 900, "--learning-rate", 0.5, "--restore-best")
    facts = json.loads(command(*flags, "--validation", "wrong.csv", "--out", "run.npz", "--json"))
    history = fastgd.load_run("run.npz").history
    best = int(np.argmin(history.validation))
    assert 0 < best < 900
    assert facts["best_epoch"] == best == history.epoch[best]
    assert facts["validation"]["cost"] == history.validation[best] < history.validation[-1]
    out = lines(command(*flags, "--validation", "wrong.csv"))
    costs = f"cost {history.cost[best]:.6g}, validation cost {history.validation[best]:.6g}"
    assert out["restored"] == f"the parameters after epoch {best}: {costs}"
    assert out["validation"].split(", ")[1] == f"{history.validation[-1]:.6g} at last"


def test_gates_with_a_share(command):
    facts = json.loads(command(*XOR, "--epochs", 50, "--validation", 0.25, "--out", "run.npz", "--json"))
    targets = np.array([0, 1, 1, 0])
    errors = (np.array(facts["outputs"]) - targets) ** 2
    assert facts["validation"]["rows"] == 1
    assert np.isclose(errors, facts["validation"]["cost"], rtol=1e-9, atol=0).sum() == 1
    assert errors.sum() == pytest.approx(3 * facts["cost"] + facts["validation"]["cost"], rel=1e-9)
    assert lines(command(*XOR, "--epochs", 50, "--validation", 0.25))["validation"].endswith(" on 1 row kept apart")


def test_sample_weight(command, line):
    """Rows of whole weights are rows that come several times; the column is no input."""
    weights = np.arange(40) % 4
    write("weighted.csv", ["area", "often", "rooms", "price"], np.column_stack([line[:, 0], weights, line[:, [1, 3]]]))
    flags = ("--target", "price", "--layers", "2-1", "--epochs", 40, "--scale-inputs", "none", "--learning-rate", 1e-5, "--json")
    facts = json.loads(command("train", "weighted.csv", "--sample-weight", "often", *flags))
    assert facts["data"]["inputs"] == ["area", "rooms"]
    rows = np.repeat(line, weights, axis=0)
    net = fastgd.MLP(2, 1, activation="identity")
    Y = (rows[:, 3] - line[:, 3].mean()) / line[:, 3].std()
    run = fastgd.train(net, rows[:, :2], Y, 40, 1e-5, params=net.init(0))
    assert facts["cost"] == pytest.approx(run.cost, rel=1e-9)
    named = json.loads(command("train", "weighted.csv", "--sample-weight", "often", "--inputs", "area,rooms", *flags))
    assert named["cost"] == facts["cost"]
