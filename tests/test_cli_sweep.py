"""`fastgd sweep`: its shares and quartiles are those of the members that `train` would train."""

import json
import signal

import numpy as np
import pytest
from command_line import printed, write

import fastgd

FLAGS = ["sweep", "--gate", "xor", "--layers", "2-2-1", "--seeds", "5", "--epochs", "3000", "--target-cost", "0.05"]


@pytest.fixture(scope="module")
def expected():
    """By rate, the runs of five seeds."""
    return {rate: [of_seed(7 + i, rate, "uniform") for i in range(5)] for rate in (1.0, 3.0)}


def of_seed(seed, rate, scheme):
    net = fastgd.MLP(2, 2, 1)
    params = net.init(seed, scheme)
    return fastgd.train(net, *fastgd.data.gate("xor"), 3000, rate, params=params, rng=seed, target_cost=0.05, kernel="matrix")


def test_summary(command, expected):
    summary = json.loads(command(*FLAGS, "--seed", 7, "--learning-rates", "1,3", "--json"))
    assert [setting["learning_rate"] for setting in summary["settings"]] == [1, 3]
    for setting, runs in zip(summary["settings"], expected.values(), strict=True):
        learned = [run.epochs for run in runs if run.stopped_by == "target_cost"]
        assert setting["members"] == 5
        assert setting["learned"] == pytest.approx(len(learned) / 5)
        assert setting["diverged"] == 0
        low, middle, high = np.quantile(learned, [0.25, 0.5, 0.75]) if learned else [None] * 3
        assert setting["epochs"] == {"lower_quartile": low, "median": middle, "upper_quartile": high}


def test_members_in_a_file(command, folder, expected):
    out = command(*FLAGS, "--seed", 7, "--learning-rates", "1,3", "--out", "members.csv")
    assert "sgd" in out
    header, *lines = printed((folder / "members.csv").read_text())
    assert header == ["optimizer", "learning_rate", "seed", "epochs", "cost", "stopped_by"]
    runs = [run for some in expected.values() for run in some]
    assert [[line[0], float(line[1]), int(line[2]), int(line[3]), line[5]] for line in lines] == [
        ["sgd", run.options["learning_rate"], run.seed, run.epochs, run.stopped_by] for run in runs
    ]


def test_what_all_members_share(command, folder):
    """A schedule of each rate, and l2 by layer, as `train` has them."""
    flags = ["sweep", "--gate", "xor", "--layers", "2-2-1", "--seeds", "2", "--epochs", "50", "--learning-rates", "1,3", "--out", "all.csv"]
    shared = ["--schedule", "cosine", "--cosine-steps", "50", "--l2", "0.01,0.02", "--clip-norm", "0.5"]
    best = json.loads(command(*flags, *shared, "--json"))
    assert "best" not in best
    _, *lines = printed((folder / "all.csv").read_text())
    net, cosine = fastgd.MLP(2, 2, 1), fastgd.schedules.Cosine
    for line, (rate, seed) in zip(lines, [(1.0, 0), (1.0, 1), (3.0, 0), (3.0, 1)], strict=True):
        given = {"l2": (0.01, 0.02), "clip_norm": 0.5, "params": net.init(seed, "uniform"), "rng": seed}
        run = fastgd.train(net, *fastgd.data.gate("xor"), 50, cosine(rate, steps=50), **given)
        assert (float(line[1]), int(line[2])) == (rate, seed)
        assert float(line[4]) == pytest.approx(run.cost, rel=1e-12)


def test_patience_is_that_of_train(command, folder):
    flags = ["sweep", "--gate", "xor", "--layers", "2-2-1", "--seeds", "3", "--epochs", "3000", "--target-cost", "0.05"]
    command(*flags, "--learning-rates", "0.5", "--patience", "4", "--min-delta", "1e-3", "--out", "patient.csv")
    _, *lines = printed((folder / "patient.csv").read_text())
    net, more = fastgd.MLP(2, 2, 1), {"target_cost": 0.05, "patience": 4, "min_delta": 1e-3, "kernel": "matrix"}
    for seed, line in enumerate(lines):
        run = fastgd.train(net, *fastgd.data.gate("xor"), 3000, 0.5, params=net.init(seed, "uniform"), rng=seed, **more)
        assert (int(line[3]), line[5]) == (run.epochs, run.stopped_by) == (run.epochs, "patience")


def test_init_is_that_of_train(command, folder):
    flags = ["--learning-rates", "3", "--seed", 7]
    for scheme, given in (("uniform", []), ("glorot", ["--init", "glorot"])):
        command(*FLAGS, *flags, *given, "--out", "members.csv")
        _, *lines = printed((folder / "members.csv").read_text())
        run = of_seed(9, 3.0, scheme)
        assert lines[2][2:4] == ["9", str(run.epochs)]
        train = ["train", "--gate", "xor", "--layers", "2-2-1", "--epochs", 3000, "--learning-rate", 3, "--target-cost", 0.05, "--seed", 9]
        assert json.loads(command(*train, *given, "--json"))["epochs"] == run.epochs


# -- files -----------------------------------------------------------------------------------------------------------------------------

FLOWERS = ["sweep", "flowers.csv", "--target", "kind", "--layers", "2-3-3", "--seeds", 4, "--seed", 7, "--batch-size", 16]
SETTINGS = [("sgd", 0.1), ("sgd", 0.5), ("adam", 0.1), ("adam", 0.5)]


@pytest.fixture
def trained(flowers):
    """By setting, the runs of four seeds, on inputs of mean 0 and deviation 1 and one-hot classes in the order of their names."""
    values = np.array([row[:2] for row in flowers], float)
    X = (values - values.mean(axis=0)) / values.std(axis=0)
    Y = np.array([[row[2] == kind for kind in ("lily", "rose", "tulip")] for row in flowers], float)
    net = fastgd.MLP(2, 3, 3, activation="tanh", output="softmax", loss="cross_entropy")

    def runs(epochs, **options):
        return {
            (optimizer, rate): [
                fastgd.train(net, X, Y, epochs, rate, rng=7 + i, batch_size=16, optimizer=optimizer, kernel="matrix", **options)
                for i in range(4)
            ]
            for optimizer, rate in SETTINGS
        }

    return X, Y.argmax(axis=1), runs


def read(out):
    """JSON without NaN and infinity, which other programs refuse."""

    def fail(word):
        raise AssertionError(word)

    return json.loads(out, parse_constant=fail)


def test_costs_on_a_file(command, trained):
    X, classes, runs = trained
    summary = read(command(*FLOWERS, "--optimizers", "sgd,adam", "--learning-rates", "0.1,0.5", "--epochs", 30, "--json"))
    assert summary["data"]["classes"] == ["lily", "rose", "tulip"]
    assert [(setting["optimizer"], setting["learning_rate"]) for setting in summary["settings"]] == SETTINGS
    expected = runs(30)
    for setting, members in zip(summary["settings"], expected.values(), strict=True):
        costs = [run.cost for run in members]
        assert setting["members"] == 4
        assert list(setting["cost"].values()) == pytest.approx(np.quantile(costs, [0.25, 0.5, 0.75]), rel=1e-9)
        assert setting["best"] == {"seed": 7 + np.argmin(costs), "cost": pytest.approx(min(costs), rel=1e-9)}
    (optimizer, rate), run = min(((key, run) for key, some in expected.items() for run in some), key=lambda pair: pair[1].cost)
    best = summary["best"]
    assert (best["optimizer"], best["learning_rate"], best["seed"], best["epochs"]) == (optimizer, rate, run.seed, 30)
    assert best["score"]["right"] == (run.predict(X).argmax(axis=1) == classes).sum()


def test_a_target_cost_on_a_file(command, trained):
    *_, runs = trained
    flags = ["--optimizers", "sgd,adam", "--learning-rates", "0.1,0.5", "--epochs", 60, "--target-cost", 0.02]
    summary = read(command(*FLOWERS, *flags, "--json"))
    shares = []
    for setting, members in zip(summary["settings"], runs(60, target_cost=0.02).values(), strict=True):
        learned = [run.epochs for run in members if run.stopped_by == "target_cost"]
        shares.append(len(learned) / 4)
        assert setting["learned"] == shares[-1]
        assert list(setting["epochs"].values()) == (np.quantile(learned, [0.25, 0.5, 0.75]).tolist() if learned else [None] * 3)
    assert min(shares) < max(shares)
    assert "best" not in summary


def test_words_on_a_file(command, trained):
    X, classes, runs = trained
    out = command(*FLOWERS, "--learning-rates", "0.1,0.5", "--epochs", 30)
    best = min((run for (optimizer, _), some in runs(30).items() if optimizer == "sgd" for run in some), key=lambda run: run.cost)
    assert f"sgd, rate {best.options['learning_rate']:g}, seed {best.seed}: cost {best.cost:.6g}" in out
    right = (best.predict(X).argmax(axis=1) == classes).sum()
    assert f"{right} of 60 on the rows it was trained on" in out


def test_a_checkpoint(command, folder, flowers, refused):
    flags = [*FLOWERS, "--optimizers", "sgd,adam", "--learning-rates", "0.1,0.5", "--checkpoint", "kept"]
    command(*flags[:-4], "--learning-rates", "0.1,0.5", "--optimizers", "sgd", "--checkpoint", "kept", "--epochs", 10)
    assert sorted(path.name for path in (folder / "kept").iterdir()) == ["sgd.npz"]
    resumed = read(command(*flags, "--epochs", 30, "--resume", "--json"))
    whole = read(command(*flags[:-2], "--epochs", 30, "--json"))
    assert (resumed["checkpoint"], whole["checkpoint"]) == ("kept", None)
    assert (resumed["settings"], resumed["best"]) == (whole["settings"], whole["best"])
    kept = {name: fastgd.load_runs(folder / "kept" / f"{name}.npz") for name in ("sgd", "adam")}
    assert set(kept["sgd"].epochs) == set(kept["adam"].epochs) == {30}
    assert refused(*flags, "--epochs", 20, "--resume").startswith("epochs must be from 30 to")
    assert refused(*flags[:-2], "--resume") == "--resume is for --checkpoint; none is given"
    assert refused(*flags[:-1], "flowers.csv") == "--checkpoint must name a folder; flowers.csv is a file"
    assert refused(*flags[:-1], "no/folder") == "--checkpoint can't be written: there is no folder no"


def test_a_share_for_validation(command, folder, flowers):
    """A member is what `fastgd train` makes of its seed, if that is the first, which draws the rows."""
    with open("flowers.csv", "a", encoding="utf-8") as file:
        file.write("3,0.1,rose\n" * 5)
    header, *rows = (folder / "flowers.csv").read_text().splitlines()
    weighed = [f"{row},{weight}" for row, weight in zip(rows, np.random.default_rng(0).integers(0, 4, len(rows)), strict=True)]
    (folder / "flowers.csv").write_text("\n".join([header + ",w", *weighed, ""]))
    shared = ["--epochs", 40, "--sample-weight", "w", "--validation", 0.3]
    summary = read(command(*FLOWERS, *shared, "--learning-rates", 0.5, "--json", "--out", "members.csv"))
    header, *lines = printed((folder / "members.csv").read_text())
    assert header[-1] == "validation_cost"

    train = ["train", *FLOWERS[1:6], "--seed", 7, "--batch-size", 16, "--learning-rate", 0.5, "--kernel", "matrix"]
    run = read(command(*train, *shared, "--json"))
    assert [float(lines[0][4]), float(lines[0][6])] == pytest.approx([run["cost"], run["validation"]["cost"]], rel=1e-9)
    costs = [float(line[6]) for line in lines]
    assert list(summary["settings"][0]["cost"].values()) == pytest.approx(np.quantile(costs, [0.25, 0.5, 0.75]))
    best = summary["best"]
    assert best["validation"]["cost"] == pytest.approx(min(costs))
    assert best["seed"] == 7 + np.argmin(costs)
    assert best["score"]["rows"] == run["score"]["rows"]
    assert best["validation"]["rows"] == run["validation"]["rows"]


def test_a_file_for_validation(command, line):
    write("more.csv", ["area", "rooms", "same", "price"], [[50, 2, 7, 210], [90, 3, 7, 311], [200, 1, 7, 677]])
    flags = ["houses.csv", "--target", "price", "--layers", "3-1", "--epochs", 20, "--validation", "more.csv", "--json"]
    best = read(command("sweep", *flags, "--learning-rates", "0.01,0.1"))["best"]
    run = read(command("train", *flags, "--learning-rate", best["learning_rate"], "--seed", best["seed"], "--kernel", "matrix"))
    assert best["learning_rate"] == 0.1
    assert best["cost"] == pytest.approx(run["cost"], rel=1e-9)
    assert best["validation"]["cost"] == pytest.approx(run["validation"]["cost"], rel=1e-9)
    assert best["validation"]["mean_squared_error"] == pytest.approx(run["validation"]["mean_squared_error"], rel=1e-9)


def test_settings_that_diverge(command, line):
    flags = ["sweep", "houses.csv", "--target", "price", "--layers", "3-1", "--seeds", 2, "--epochs", 500]
    good, bad = read(command(*flags, "--learning-rates", "0.1,100", "--json"))["settings"]
    assert (good["diverged"], bad["diverged"]) == (0, 1)
    assert good["best"]["cost"] < 1e-6
    assert (bad["best"], set(bad["cost"].values())) == (None, {None})
    assert read(command(*flags, "--learning-rates", "100", "--json"))["best"] is None
    out = command(*flags, "--learning-rates", "100")
    assert "100.0%" in out
    assert "best" not in out


def test_ctrl_c_ends_all_optimizers(command, flowers, monkeypatch):
    pressed = []

    def press(*_):
        if not pressed:
            pressed.append(True)
            signal.raise_signal(signal.SIGINT)

    def interrupted(*flags):
        pressed.clear()
        return command(*FLOWERS, "--optimizers", "sgd,adam", "--learning-rates", 0.1, "--epochs", 1e12, *flags, status=130)

    monkeypatch.setattr("fastgd.training.progress.Bar.__call__", press)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        summary = read(interrupted("--json"))
        words = interrupted("--checkpoint", "kept")
    finally:
        signal.signal(signal.SIGINT, before)
    assert [setting["optimizer"] for setting in summary["settings"]] == ["sgd"]
    assert summary["best"]["stopped_by"] == "interrupt"
    assert f"{'stopped':<12}by Ctrl-C; the same command with --resume goes on" in words
    assert 0 < fastgd.load_runs("kept/sgd.npz").epochs.max() < 1e12


# -- bad flags -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--learning-rates", "fast"], ["'fast'"]),
        (["--learning-rates", "1", "--optimizers", "newton"], ["newton", "adam"]),
        (["--learning-rates", "1", "--layers", "3-1"], ["--layers", "3-1"]),
        (["--learning-rates", "1", "--seeds", "0"], ["--seeds", "0"]),
        (["--learning-rates", "1", "--out", "no/such.csv"], ["--out", "no"]),
        (["--learning-rates", "1", "--schedule", "rates"], ["--schedule", "'rates'", "cosine"]),
        (["--learning-rates", "1", "--cosine-steps", "5"], ["--cosine-steps is for cosine", "--schedule constant"]),
        (["--learning-rates", "1", "--dropout", "1"], ["dropout", "below 1"]),
        ([], ["--learning-rates"]),
    ],
)
def test_bad_flags(refused, no_compiled_code, flags, words):
    error = refused(*FLAGS, *flags)
    assert [word for word in words if word not in error] == [], error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "sweep needs a file or --gate, one of the two"),
        ("houses.csv --gate xor", "sweep needs a file or --gate, one of the two"),
        ("--gate xor --target price", "--target names columns of a file; --gate has none"),
        ("--gate xor --validation 0.5", "--validation is for files without --target-cost"),
        ("houses.csv --target cost --layers 3-1", "target: houses.csv has no column 'cost'"),
        ("houses.csv --target price", "say the widths of the network, such as --layers 3-8-1"),
        ("houses.csv --target price --layers 2-1", "--layers must begin with 3 and end with 1"),
        ("houses.csv --target price --layers 3-1 --batch-size 41", "batch_size must be a whole number from 1 to 40; got 41"),
        ("houses.csv --target price --layers 3-1 --epochs -1", "epochs must be a whole number from 0"),
        ("houses.csv --target price --layers 3-1 --seeds 0", "--seeds must be a whole number from 1"),
        (f"houses.csv --target price --layers 3-1 --seed {2**63 - 1} --seeds 2", "--seeds must be a whole number from 1 to 1; got 2"),
        ("houses.csv --target price --layers 3-1 --optimizers sgd,rprop --learning-rates 0", "--learning-rates must be above 0 for rprop"),
        ("houses.csv --target price --layers 3-1 --threads 0", "threads must be a whole number of at least 1; got 0"),
        ("houses.csv --target price --layers 3-1 --validation 2", "--validation must be a share of the rows between 0 and 1, or a file"),
        ("houses.csv --target price --layers 3-1 --validation 0.1 --target-cost 1", "--validation is for files without --target-cost"),
        ("houses.csv --target price --layers 3-1 --validation more.csv", "more.csv: No such file or directory"),
        ("houses.csv --target price --layers 3-1 --out houses.csv", "--out would replace houses.csv, which is read"),
        ("houses.csv --target price --layers 3-1 --out=", "--out must name a file; got ''"),
    ],
)
def test_bad_flags_on_a_file(refused, no_compiled_code, line, arguments, message):
    given = arguments.split()
    given += [] if "--learning-rates" in given else ["--learning-rates", "0.1"]
    assert refused("sweep", *given).startswith(message)
