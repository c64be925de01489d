"""Bad arguments of train, optimizers and schedules: refused by name, before anything is compiled."""

import inspect
from dataclasses import dataclass, fields

import numpy as np
import pytest
from conftest import assert_refused
from small_problem import NET, X, Y

import fastgd
from fastgd.options import Options

# -- bad arguments ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Amsgrad(fastgd.Adam):
    """An optimizer that there is no compiled code for."""


V, T = ValueError, TypeError
BAD = [
    ({"target_cost": np.nan}, V, ["target_cost", "finite", "nan"]),
    ({"target_cost": -np.inf}, V, ["target_cost", "finite", "-inf"]),
    ({"target_cost": "0.1"}, T, ["target_cost", "number", "'0.1'"]),
    ({"patience": 0}, V, ["patience", "from 1", "0"]),
    ({"patience": 1.5}, V, ["patience", "whole", "1.5"]),
    ({"patience": True}, T, ["patience", "whole", "True"]),
    ({"min_delta": -1}, V, ["min_delta", "at least 0", "-1"]),
    ({"min_delta": None}, T, ["min_delta", "number", "None"]),
    ({"restore_best": 1}, T, ["restore_best", "True or False", "1"]),
    ({"max_seconds": -1}, V, ["max_seconds", "at least 0", "-1"]),
    ({"max_seconds": np.inf}, V, ["max_seconds", "finite", "inf"]),
    ({"max_seconds": "1"}, T, ["max_seconds", "number", "'1'"]),
    ({"validation": 1.5}, V, ["validation", "(X, Y)", "share", "1.5", "11 rows"]),
    ({"validation": 1.0}, V, ["validation", "share", "1 of 11 rows"]),
    ({"validation": 0.01}, V, ["validation", "share", "0.01"]),
    ({"validation": 0}, V, ["validation", "positive", "0"]),
    ({"validation": -0.5}, V, ["validation", "positive", "-0.5"]),
    ({"validation": True}, T, ["validation", "number", "True"]),
    ({"validation": "0.2"}, T, ["validation", "number", "'0.2'"]),
    ({"validation": X}, T, ["validation", "number"]),
    ({"validation": (X,)}, V, ["validation", "(X, Y)", "1 values"]),
    ({"validation": (X, Y, Y)}, V, ["validation", "(X, Y)", "3 values"]),
    ({"validation": (X[:, :1], Y)}, V, ["validation", "X", "(n, 2)", "(11, 1)"]),
    ({"validation": (X, Y[:4])}, V, ["validation", "rows", "11", "4"]),
    ({"validation": (X, np.zeros((11, 2)))}, V, ["validation", "Y", "(n, 1)", "(11, 2)"]),
    ({"validation": (X[:0], Y[:0])}, V, ["validation", "X", "at least one row"]),
    ({"validation": (X * np.nan, Y)}, V, ["validation", "X", "finite", "nan"]),
    ({"validation": (X, None)}, T, ["validation", "Y", "real"]),
    ({"validation": 0.5, "batch_size": 6}, V, ["batch_size", "from 1 to 5", "6"]),
    ({"record": 1}, V, ["record", "at least 2", "1"]),
    ({"spacing": "x"}, V, ["spacing", "'x'", "even", "log"]),
    ({"spacing": None}, T, ["spacing", "None", "even", "log"]),
    ({"on_interrupt": "x"}, V, ["on_interrupt", "'x'", "return", "raise"]),
    ({"on_interrupt": True}, T, ["on_interrupt", "True", "return", "raise"]),
    ({"threads": 0}, V, ["threads", "at least 1", "0"]),
    ({"threads": 1.5}, V, ["threads", "whole", "1.5"]),
    ({"callback": 3}, T, ["callback", "function", "3"]),
    ({"callback": True}, T, ["callback", "function", "True"]),
    ({"resume": True}, V, ["resume", "checkpoint="]),
    ({"resume": "yes"}, T, ["resume", "True or False", "'yes'"]),
    ({"checkpoint_every": -1}, V, ["checkpoint_every", "at least 0", "-1"]),
    ({"checkpoint_every": None}, T, ["checkpoint_every", "number", "None"]),
    ({"l2": -1}, V, ["l2", "at least 0", "-1"]),
    ({"l2": None}, T, ["l2", "number", "None"]),
    ({"clip_norm": 0}, V, ["clip_norm", "positive", "0"]),
    ({"clip_norm": np.inf}, V, ["clip_norm", "finite", "inf"]),
    ({"sample_weight": np.ones(10)}, V, ["sample_weight", "(11,)", "(10,)"]),
    ({"sample_weight": np.ones((11, 1))}, V, ["sample_weight", "(11,)", "(11, 1)"]),
    ({"sample_weight": 1.0}, V, ["sample_weight", "(11,)", "()"]),
    ({"sample_weight": np.zeros(11)}, V, ["sample_weight", "above 0", "0.0 to 0.0"]),
    ({"sample_weight": np.arange(11) - 1}, V, ["sample_weight", "at least 0", "-1.0"]),
    ({"sample_weight": np.full(11, np.nan)}, V, ["sample_weight", "finite", "nan"]),
    ({"sample_weight": ["1"] * 11}, T, ["sample_weight", "real", "U1"]),
    ({"optimizer": "rprop", "batch_size": 3}, V, ["Rprop", "batch_size", "None", "3"]),
    ({"optimizer": "rprop", "learning_rate": 0.0}, V, ["Rprop", "learning_rate", "above 0", "0"]),
    ({"optimizer": "rprop", "learning_rate": fastgd.schedules.Exponential(0.1, 0.9)}, V, ["Rprop", "learning_rate", "Exponential"]),
    ({"optimizer": "rprop", "learning_rate": fastgd.schedules.Constant(0.1, warmup=3)}, V, ["Rprop", "learning_rate", "Constant"]),
    ({"optimizer": fastgd.Adam}, T, ["optimizer", "fastgd.Adam()", "Adam"]),
    ({"optimizer": Amsgrad()}, T, ["optimizer", "fastgd.Adam()", "Amsgrad(beta1=0.9"]),
    ({"learning_rate": fastgd.schedules.Schedule(0.1)}, T, ["learning_rate", "number", "Cosine", "Schedule(rate=0.1)"]),
    ({"learning_rate": fastgd.schedules.Cosine}, T, ["learning_rate", "number", "Cosine"]),
]


@pytest.mark.parametrize(("options", "error", "words"), BAD, ids=lambda case: "-".join(case) if isinstance(case, dict) else "")
def test_bad_arguments(options, error, words, no_compiled_code):
    assert_refused(lambda: fastgd.train(NET, X, Y, 10, **options), error, words)


BETWEEN_CHUNKS = ("progress", "callback", "max_seconds", "checkpoint", "checkpoint_every", "resume", "on_interrupt")
OF_SESSIONS = [({"progress": 3}, T, ["progress", "3"]), ({"checkpoint": 3}, T, ["checkpoint", "path", "3"])]
OF_SESSIONS += [case for case in BAD if set(case[0]) <= set(BETWEEN_CHUNKS)]


@pytest.mark.parametrize(("options", "error", "words"), OF_SESSIONS)
def test_sessions_of_one_and_of_many(options, error, words, no_compiled_code):
    """What is given for between the chunks is refused by the same words."""
    assert_refused(lambda: fastgd.train(NET, X, Y, 10, **options), error, words)
    assert_refused(lambda: fastgd.train_many(NET, X, Y, 10, members=2, **options), error, words)


def schedule(name, *numbers, **named):
    return lambda: getattr(fastgd.schedules, name)(*numbers, **named)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: fastgd.SGD(momentum=-1), V, ["momentum of SGD", "from 0 to below 1", "-1"]),
        (lambda: fastgd.SGD(momentum=1.0), V, ["momentum of SGD", "below 1", "1.0"]),
        (lambda: fastgd.SGD(momentum="0.9"), T, ["momentum of SGD", "number", "'0.9'"]),
        (lambda: fastgd.SGD(nesterov=True), V, ["nesterov of SGD", "momentum above 0", "0"]),
        (lambda: fastgd.SGD(momentum=0.9, nesterov=1), T, ["nesterov of SGD", "True or False", "1"]),
        (lambda: fastgd.Adagrad(eps=0), V, ["eps of Adagrad", "positive", "0"]),
        (lambda: fastgd.RMSprop(rho=1), V, ["rho of RMSprop", "below 1", "1"]),
        (lambda: fastgd.Adam(beta1=1.0), V, ["beta1 of Adam", "from 0 to below 1", "1.0"]),
        (lambda: fastgd.Adam(beta2=np.nan), V, ["beta2 of Adam", "finite", "nan"]),
        (lambda: fastgd.AdamW(weight_decay=-0.1), V, ["weight_decay of AdamW", "at least 0", "-0.1"]),
        (lambda: fastgd.Rprop(eta_minus=2), V, ["eta_minus", "Rprop", "below", "2.0"]),
        (lambda: fastgd.Rprop(eta_plus=0.5), V, ["eta_plus", "Rprop", "above 1", "0.5"]),
        (lambda: fastgd.Rprop(eta_minus=0), V, ["eta_minus of Rprop", "positive", "0"]),
        (lambda: fastgd.Rprop(step_min=10, step_max=1), V, ["step_min of Rprop", "step_max", "10.0", "1.0"]),
        (schedule("Constant", np.nan), V, ["rate of Constant", "finite", "nan"]),
        (schedule("Constant", 0.1, warmup=-1), V, ["warmup of Constant", "from 0", "-1"]),
        (schedule("Step", 0.1, 0), V, ["every of Step", "from 1", "0"]),
        (schedule("Step", 0.1, 10, factor=0), V, ["factor of Step", "positive", "0"]),
        (schedule("Step", 0.1, 2.5), V, ["every of Step", "whole", "2.5"]),
        (schedule("Exponential", 0.1, -0.5), V, ["factor of Exponential", "positive", "-0.5"]),
        (schedule("Exponential", "0.1", 0.5), T, ["rate of Exponential", "number", "'0.1'"]),
        (schedule("InverseTime", 0.1, -1), V, ["decay of InverseTime", "at least 0", "-1"]),
        (schedule("Cosine", 0.1, 0), V, ["steps of Cosine", "from 1", "0"]),
        (schedule("Cosine", 0.1, None), T, ["steps of Cosine", "whole", "None"]),
        (schedule("Cosine", 0.1, 10, least=np.inf), V, ["least of Cosine", "finite", "inf"]),
    ],
)
def test_bad_numbers_of_optimizers_and_schedules(make, error, words):
    assert_refused(make, error, words)


@pytest.mark.parametrize("name", [option.name for option in fields(Options)])
def test_options_check_themselves(name):
    """Their defaults are those of train; a batch size waits for the rows."""
    default, nothing = inspect.signature(fastgd.train).parameters[name].default, object()
    assert Options(**{name: default}) == Options()
    assert_refused(lambda: Options(**{name: nothing}).checked_for(NET, len(X)), T, [f"{name} must be", "got <object"])
    if name != "batch_size":
        assert_refused(lambda: Options(**{name: nothing}), T, [f"{name} must be"])


def test_options_of_other_arguments():
    assert Options.of({"epochs": 3, "eps": 1, "record": 0}) == Options(eps=1.0, record=0)
    assert_refused(lambda: Options(batch_size=5).checked_for(NET, 4), V, ["batch_size", "from 1 to 4", "5"])
