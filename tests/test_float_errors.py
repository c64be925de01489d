"""What NumPy is told to do about floating-point errors changes no result, and stays as it is in functions of the caller's."""

import threading
import warnings

import numpy as np
import pytest
from command_line import write
from conftest import assert_refused

import fastgd
from fastgd.cli import main

TINY = 1e-50  # 0 in float32
DENORMAL = 1e-310
RNG = np.random.default_rng(0)


def problem(dtype, loss="squared_error", output="sigmoid"):
    """A network, parameters and rows among which are numbers that underflow in float32, in products and in squares."""
    net = fastgd.MLP(3, 4, 2, output=output, loss=loss, dtype=dtype)
    X, Y, params = RNG.normal(size=(12, 3)), RNG.uniform(0.1, 0.9, size=(12, 2)), RNG.normal(size=net.n_params)
    X[0], X[1, 0], X[2], Y[0, 0], params[:2] = TINY, -DENORMAL, -800.0, TINY, TINY
    return net, params, X, Y / Y.sum(axis=1, keepdims=True)


PROBLEMS = {
    "float64": problem("float64"),
    "float32": problem("float32"),
    "classes": problem("float32", "cross_entropy", "softmax"),
    "binary": problem("float32", "binary_cross_entropy"),
}


def train(net, params, X, Y, **options):
    return fastgd.train(net, X, Y, 3, 0.05, params=params, rng=0, kernel="matrix", **options)


def many(net, start, X, Y, **options):
    options = {"params": np.tile(start, (3, 1)), "rng": 0, "kernel": "matrix", "learning_rate": [0.1, 1e-300, TINY]} | options
    return fastgd.train_many(net, X, Y, 3, **options)


def saved(run, load):
    def through(tmp_path):
        run.save(tmp_path / "file.npz")
        return load(tmp_path / "file.npz")

    return through


VALUES = [[a * 10.0 ** -abs(e), b * 1e-120, c] for a, b, c, e in RNG.normal(size=(9, 4)) * [1, 1, 1, 160]]


def table(folder, **options):
    write(folder / "values.csv", ["a", "b", "c"], VALUES)
    fitted, X, Y = fastgd.data.read_table(folder / "values.csv", "c", **options)
    columns = fastgd.data.read_columns(folder / "values.csv")
    return fitted.to_dict(), X, Y, fitted.decode(Y * TINY), fitted.score(columns, Y)


def command(folder, name, *arguments, out):
    write(folder / "values.csv", ["a", "b", "c"], VALUES)
    given = [folder / "values.csv", "--target", "c", "--layers", "2-3-1", "--epochs", "3", *arguments, "--out", folder / out]
    assert main([name, *map(str, given)]) == 0
    return fastgd.load_run(folder / out) if out == "run.npz" else (folder / out).read_text()


CALLS = {
    "init": lambda p, _: [p[0].init(rng=0, scheme=scheme) for scheme in ("auto", "uniform", "he")],
    "check_params": lambda p, _: p[0].check_params(p[1]),
    "unpack": lambda p, _: p[0].unpack(p[1]),
    "pack": lambda p, _: p[0].pack([(np.full((4, 3), TINY), [TINY] * 4), (np.full((2, 4), 0.1), None)]),
    "predict": lambda p, _: p[0].predict(*p[1:3]),
    "cost": lambda p, _: p[0].cost(*p[1:]),
    "layer_costs": lambda p, _: p[0].layer_costs(*p[1:]) if p[0].loss == "squared_error" else None,
    "gradient": lambda p, _: [p[0].gradient(*p[1:], method=method) for method in ("backprop", "central_difference")],
    "cost_and_gradient": lambda p, _: p[0].cost_and_gradient(*p[1:]),
    "source": lambda p, _: p[0].source(),
    "train": lambda p, _: train(*p),
    "train by adam": lambda p, _: train(*p, optimizer="adam", batch_size=5, patience=2, restore_best=True, validation=tuple(p[2:])),
    "train on weighted rows": lambda p, _: train(*p, sample_weight=np.where(np.arange(12) % 2, 1.0, TINY), l2=1e-300, clip_norm=1e-30),
    "train by a schedule": lambda p, _: train(*p, optimizer=fastgd.RMSprop(), l2=TINY, clip_norm=0.1),
    "goes on": lambda p, _: fastgd.train(p[0], *p[2:], 2, TINY, params=train(*p)),
    "Run.predict": lambda p, _: train(*p).predict(p[2]),
    "Run.save": lambda p, folder: saved(train(*p), fastgd.load_run)(folder),
    "checkpoint": lambda p, folder: train(*p, checkpoint=folder / "run.npz", checkpoint_every=0.0),
    "train_many": lambda p, _: many(*p),
    "train_many with rules": lambda p, _: many(*p, patience=2, min_delta=[0, TINY, 1e-300], target_cost=TINY, record=3),
    "train_many goes on": lambda p, _: many(*p, params=many(*p)),
    "Runs.predict": lambda p, _: many(*p).predict(p[2]),
    "Runs.mean_predict": lambda p, _: many(*p).mean_predict(p[2]),
    "Runs of one": lambda p, _: [many(*p)[1], many(*p).best, many(*p)[1:]],
    "Runs.save": lambda p, folder: saved(many(*p), fastgd.load_runs)(folder),
}
OF_TABLES = {
    "standard": lambda folder: table(folder),
    "range": lambda folder: table(folder, scale_inputs="range", output="sigmoid"),
    "none": lambda folder: table(folder, scale_inputs="none", scale_targets="none"),
    "schedules": lambda folder: [fastgd.schedules.Cosine(np.float32(1e-40), steps=5), fastgd.schedules.InverseTime(TINY, DENORMAL)],
    "optimizers": lambda folder: [fastgd.Adam(eps=DENORMAL), fastgd.SGD(momentum=np.float32(1e-40))],
    "gates": lambda folder: [fastgd.data.gate("xor"), fastgd.data.twice()],
    "fastgd train": lambda folder: command(
        folder, "train", "--dtype", "float32", "--scale-inputs", "none", "--scale-targets", "none", out="run.npz"
    ),
    "fastgd sweep": lambda folder: command(folder, "sweep", "--learning-rates", "1e-300,0.1", "--seeds", "2", out="out.csv"),
}  # fmt: skip


def bits(value):
    """Something that equals that of the same numbers only."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes() if value.dtype != object else value.tolist()
    if isinstance(value, (list, tuple)):
        return [bits(each) for each in value]
    return value


def outcome(call):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return bits(call())


def assert_same(call):
    expected = outcome(call)
    for state in ({"all": "raise"}, {"all": "warn"}, {"under": "raise"}):
        with np.errstate(**state):
            assert outcome(call) == expected
    heard = []
    with np.errstate(all="call", call=lambda *what: heard.append(what)):
        assert outcome(call) == expected
    assert heard == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_public_calls(name, call, tmp_path):
    assert_same(lambda: CALLS[call](PROBLEMS[name], tmp_path))


@pytest.mark.parametrize("call", OF_TABLES)
def test_tables_and_the_command(call, tmp_path, capsys):
    assert_same(lambda: OF_TABLES[call](tmp_path))


def test_overflow_is_refused_by_name():
    """As without: a number that float32 does not hold is no floating-point error, but an argument."""
    net = fastgd.MLP(1, 1, dtype="float32")
    with np.errstate(all="raise"):
        assert_refused(lambda: net.predict([1, 1e300], [1.0]), ValueError, ["params", "finite in float32", "1e+300"])
        assert_refused(lambda: net.cost([1, 1], [1e300], [1.0]), ValueError, ["X", "finite in float32", "1e+300"])


def test_divergence_is_told_by_its_own_error():
    net, params, X, Y = PROBLEMS["float32"]
    identity = fastgd.MLP(*net.widths, activation="identity", dtype="float32")
    with np.errstate(all="raise"), pytest.raises(fastgd.DivergedError):
        fastgd.train(identity, X, Y, 100, 1e30, params=params, rng=0, kernel="matrix")


@pytest.mark.parametrize("train", [fastgd.train, fastgd.train_many])
@pytest.mark.parametrize("argument", ["callback", "progress"])
def test_functions_of_the_caller_keep_his_state(train, argument):
    """In `train_many` too, and after public calls inside them."""
    net, _, X, Y = PROBLEMS["float32"]
    told = []

    def tell(progress):
        fastgd.train(net, X, Y, 1, rng=0, kernel="matrix")
        told.append(np.geterr())

    options = {"members": 2} if train is fastgd.train_many else {}
    with np.errstate(divide="raise", over="print", under="warn", invalid="ignore"):
        theirs = np.geterr()
        train(net, X, Y, 3, rng=0, kernel="matrix", **{argument: tell}, **options)
        assert np.geterr() == theirs
    assert told
    assert all(state == theirs for state in told)


def test_threads_of_the_caller_each_keep_their_state():
    """Calls that overlap: one ends while the other one is inside its callback."""
    net, _, X, Y = PROBLEMS["float32"]
    inside, ended, states = threading.Event(), threading.Event(), {}

    def other():
        inside.wait(60)
        with np.errstate(all="print"):
            fastgd.train(net, X, Y, 1, rng=0, kernel="matrix")
            states["other"] = np.geterr()["over"]
        ended.set()

    def wait(progress):
        inside.set()
        ended.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    with np.errstate(all="raise"):
        fastgd.train(net, X, Y, 1, rng=0, kernel="matrix", callback=wait)
        states["this"] = np.geterr()["over"]
    thread.join()
    assert states == {"this": "raise", "other": "print"}
