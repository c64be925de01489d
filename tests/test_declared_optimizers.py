"""What an optimizer declares is all that there is to add: one of a user's own, in every kernel, file and flag."""

from dataclasses import dataclass, fields

import numpy as np
import oracle
import pytest
from conftest import random_problem
from small_problem import assert_close

import fastgd
from fastgd import optimizers
from fastgd.arguments.described import share
from fastgd.arguments.functions import mark_of
from fastgd.cli import described_flags
from fastgd.kernels.codes import IN_KERNEL
from fastgd.kernels.shelf import shelf
from fastgd.machine import object_code
from fastgd.machine.cache import Entry
from fastgd.optimizers import KINDS, Form, Optimizer
from fastgd.optimizers.arithmetic import average, like
from fastgd.optimizers.optimizer import FORMS, kept_of, names_of, powers_of
from fastgd.training import archive

NET = fastgd.MLP(2, 2, 1, activation="tanh")
X, Y, PARAMS = random_problem(NET, 11)


def fading(rate, fade, count):
    """r / (1 + fade t)."""
    return count + 1.0, rate / (1.0 + fade * (count - 1.0))


def half(x):
    return like(x, 0.5) * x


def averaged(w, g, m, keep, step):
    """Half a step along the mean of gradients."""
    m = average(m, g, keep)
    return w - half(step * m), m


@pytest.fixture(scope="module")
def averaging():
    """An optimizer as a user declares it; known as long as these tests run."""
    before = dict(KINDS), dict(FORMS)

    @dataclass(frozen=True)
    class Averaging(Optimizer):
        """m = keep m + (1 - keep) g, w - r m / 2 / (1 + fade (t - 1))."""

        keep: float = share("of the mean that is kept", 0.5)
        fade: float = 0.01
        forms = (Form("averaging", averaged, fading, ("step",)),)

    yield Averaging
    for now, then in zip((KINDS, FORMS), before, strict=True):
        now.clear()
        now.update(then)


def trajectory(rate, keep, fade, epochs, dtype=float):
    w, m = PARAMS.astype(float), np.zeros(len(PARAMS))
    for t in range(epochs):
        m = keep * m + (1 - keep) * oracle.gradient(NET, w, X, Y)
        w = w - 0.5 * rate / (1 + fade * t) * m
    return w


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kernel", ["matrix", "unrolled", "lanes"])
def test_one_of_a_users_own(averaging, kernel, dtype):
    net = fastgd.MLP(2, 2, 1, activation="tanh", dtype=dtype)
    options = {"params": PARAMS, "kernel": kernel, "rng": 0}
    bound = {"float64": 1e-11, "float32": 1e-5}[dtype]
    if kernel == "lanes":
        keeps = np.linspace(0, 0.9, 5)
        runs = fastgd.train_many(net, X, Y, 20, 0.5, optimizer=[averaging(keep, 0.1) for keep in keeps], **options)
        for run, keep in zip(runs, keeps, strict=True):
            assert np.max(np.abs(run.params - trajectory(0.5, keep, 0.1, 20))) < bound
        return
    run = fastgd.train(net, X, Y, 20, 0.5, optimizer="averaging", **options)
    assert np.max(np.abs(run.params - trajectory(0.5, 0.5, 0.01, 20))) < bound
    assert run.options["optimizer"] == averaging()


def test_it_goes_on_and_comes_back_from_a_file(averaging, path):
    options = {"optimizer": averaging(0.7), "learning_rate": 0.3, "kernel": "matrix", "batch_size": 4}
    run = fastgd.train(NET, X, Y, 6, params=PARAMS, rng=1, **options)
    run.save(path)
    again = fastgd.load_run(path)
    assert again == run
    assert fastgd.train(NET, X, Y, 5, params=again, **options) == fastgd.train(NET, X, Y, 11, params=PARAMS, rng=1, **options)
    assert archive.to_json(averaging(0.7)) == {"Averaging": {"keep": 0.7, "fade": 0.01}}


def test_its_numbers_are_checked(averaging):
    with pytest.raises(ValueError, match="keep of Averaging must be a finite number from 0 to below 1; got 1"):
        averaging(1)
    with pytest.raises(ValueError, match="fade of Averaging must be a finite number of at least 0; got -1"):
        averaging(fade=-1)


def test_names_of_others_are_refused(averaging):
    with pytest.raises(ValueError, match="Adam has a name of Adam: adam"):
        type("Adam", (Optimizer,), {"forms": (Form("own", averaged),)})
    with pytest.raises(ValueError, match="Own has a name of SGD: momentum"):
        type("Own", (Optimizer,), {"forms": (Form("momentum", averaged),)})


def test_one_that_is_declared_again_is_the_one_that_counts(averaging):
    def declared(formula):
        @dataclass(frozen=True)
        class Again(Optimizer):
            forms = (Form("again", formula),)

        return Again()

    run = None
    for sign in (1, -1):
        formula = {1: lambda w, g, rate: w - rate * g, -1: lambda w, g, rate: w + rate * g}[sign]
        run = fastgd.train(NET, X, Y, 1, 0.5, params=PARAMS, kernel="matrix", optimizer=declared(formula))
        assert np.max(np.abs(run.params - (PARAMS - sign * 0.5 * oracle.gradient(NET, PARAMS, X, Y)))) < 1e-12


def test_its_flags(averaging):
    flags = described_flags.flags_of(KINDS, {})
    assert flags["--keep"].help == "of the mean that is kept: averaging (default: 0.5)"
    assert flags["--fade"].metavar == "NUMBER"


def test_code_of_a_user_is_told_by_what_it_does():
    """And that of fastgd by its sources."""

    def other(w, g, m, keep, step):
        m = average(m, g, keep)
        return w - step * m, m

    marks = {mark_of(averaged, fading), mark_of(other, fading), mark_of(averaged, None)}
    assert len(marks) == 3
    assert "" not in marks
    assert mark_of(FORMS["adam"][1].update, FORMS["adam"][1].begin) == ""


# -- what all declare ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMS)
def test_a_declaration_is_whole(kind):
    cls, form = FORMS[kind]
    names = {each.name for each in fields(cls)}
    assert names_of(form.update)[:2] == ("w", "g")
    assert set(form.makes) <= set(names_of(form.update))
    assert not names & {"w", "g", "rate", *kept_of(kind), *powers_of(kind)}
    assert (form.begin is None) == (form.makes == ())


def test_kinds_are_known_by_their_names():
    assert {name: cls.__name__.lower() for name, cls in KINDS.items()} == {name: name for name in KINDS}
    assert set(IN_KERNEL) - {"plain"} <= set(FORMS)
    assert set(FORMS) >= {form.name for cls in KINDS.values() for form in cls.forms}


def test_a_later_form_serves_an_earlier_one():
    weak, strong = fastgd.SGD(0.5), fastgd.SGD(weight_decay=0.1)
    assert [one.update_kind for one in (fastgd.SGD(), weak, strong)] == ["sgd", "momentum", "sgd_decay"]
    assert optimizers.most_general([fastgd.SGD(), strong, weak]) is strong
    assert [fastgd.Adam().slots, fastgd.Adam(amsgrad=True).slots, fastgd.RAdam().powers] == [2, 3, 3]


def test_an_update_that_numba_holds(monkeypatch):
    """Where it is not kept as machine code."""
    options = {"optimizer": "radam", "params": PARAMS, "kernel": "matrix", "rng": 0}
    expected = fastgd.train(NET, X, Y, 4, 0.1, **options)
    held, in_memory = [], object_code.address_in_memory
    monkeypatch.setattr(Entry, "address", lambda self: 0)
    monkeypatch.setattr(object_code, "address_in_memory", lambda *code: held.append(code) or in_memory(*code))
    shelf.clear()
    assert_close(fastgd.train(NET, X, Y, 4, 0.1, **options).params, expected.params, 1e-14)
    assert len(held) == 1
    shelf.clear()
