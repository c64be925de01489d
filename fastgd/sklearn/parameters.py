"""Parameters of the estimators: checked, when they are used, by name."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from functools import partial
from numbers import Integral
from types import SimpleNamespace
from typing import Any

import numpy as np

from fastgd.arguments.checks import finite_number, shown, truth, whole_number
from fastgd.arguments.choices import check_name
from fastgd.optimizers import check_optimizer
from fastgd.options import CHECKS as OF_TRAINING
from fastgd.schedules import Schedule, check_learning_rate

SOLVERS = ("lbfgs", "sgd", "adam")
STOCHASTIC = ("sgd", "adam")
LEARNING_RATES = ("constant", "invscaling", "adaptive")
DTYPES = ("auto", "float32", "float64")
# of fastgd.train, which pass through where they are not what they are by default
PASSED_ON = {"l1": 0.0, "dropout": 0.0}


def _share(name: str, value: object, *, closed: bool = False) -> float:
    """A number from 0 to below 1, or to 1 where that is allowed."""
    number = finite_number(name, value, least=0.0, below=math.nextafter(1.0, 2.0))
    return number if closed else finite_number(name, value, least=0.0, below=1.0)


def _hidden_layer_sizes(name: str, value: Any) -> tuple[int, ...]:
    """A width, or one for each hidden layer."""
    sizes = [value] if isinstance(value, Integral) else value
    if isinstance(sizes, (str, bytes)) or not isinstance(sizes, Iterable):
        raise TypeError(f"{name} must be a whole number or a sequence of these; got {shown(value)}")
    sizes = list(sizes)
    if any(isinstance(size, Integral) and size <= 0 for size in sizes):
        raise ValueError(f"{name} must be > 0, got {sizes}.")  # as scikit-learn says it
    return tuple(whole_number(name, size, least=1) for size in sizes)


def _batch_size(name: str, value: object) -> int | str:
    """A number of rows, or "auto"."""
    if isinstance(value, str):
        return check_name(name, value, ("auto",))
    return whole_number(name, value, least=1)


def _n_iter_no_change(name: str, value: object) -> float:
    """A number of epochs, or inf."""
    return math.inf if value == math.inf else whole_number(name, value, least=1)


def _loud(name: str, value: object) -> int:
    """How much is printed: truth, or a whole number."""
    return int(value) if isinstance(value, (bool, np.bool_)) else whole_number(name, value, least=0)


def _optional(check: Callable[[str, Any], Any], name: str, value: Any) -> Any:
    return None if value is None else check(name, value)


def _schedule(name: str, value: Any) -> Schedule:
    if not isinstance(value, Schedule):
        raise TypeError(f"{name} must be one of fastgd.schedules, or None; got {shown(value)}")
    check_learning_rate(name, value)
    return value


def _path(name: str, value: Any) -> str:
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be a path or None; got {shown(value)}")
    return os.fspath(value)


def _dtype(name: str, value: Any) -> str:
    if not isinstance(value, str):
        try:
            value = np.dtype(value).name
        except TypeError:
            raise TypeError(f"{name} must be one of {', '.join(DTYPES)}; got {value!r}") from None
    return check_name(name, value, DTYPES)


def _as_given(name: str, value: Any) -> Any:
    """What is checked where it is used."""
    return value


_positive, _least_0 = partial(finite_number, positive=True), partial(finite_number, least=0.0)
CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "hidden_layer_sizes": _hidden_layer_sizes,
    "activation": _as_given,
    "solver": partial(check_name, known=SOLVERS),
    "alpha": _least_0,
    "batch_size": _batch_size,
    "learning_rate": partial(check_name, known=LEARNING_RATES),
    "learning_rate_init": _positive,
    "power_t": _least_0,
    "max_iter": partial(whole_number, least=1),
    "loss": _as_given,
    "shuffle": truth,
    "random_state": _as_given,
    "tol": _least_0,
    "verbose": _loud,
    "warm_start": truth,
    "momentum": partial(_share, closed=True),
    "nesterovs_momentum": truth,
    "early_stopping": truth,
    "validation_fraction": _share,
    "beta_1": _share,
    "beta_2": _share,
    "epsilon": _positive,
    "n_iter_no_change": _n_iter_no_change,
    "max_fun": partial(whole_number, least=1),
    "class_weight": _as_given,
    "optimizer": partial(_optional, check_optimizer),
    "schedule": partial(_optional, _schedule),
    "dtype": _dtype,
    "threads": partial(_optional, partial(whole_number, least=1)),
    "checkpoint": partial(_optional, _path),
    "n_members": partial(whole_number, least=1),
    **{name: OF_TRAINING[name] for name in PASSED_ON if name in OF_TRAINING},
}


def checked(given: dict[str, Any]) -> SimpleNamespace:
    """The parameters of an estimator by name, among its attributes; ValueError or TypeError where
    one is wrong.
    """
    known = {name: given[name] for name in CHECKS if name in given}
    p = SimpleNamespace(**{name: CHECKS[name](name, value) for name, value in known.items()})
    p.passed_on = {
        name: getattr(p, name)
        for name, default in PASSED_ON.items()
        if name in given and getattr(p, name) != default
    }
    if p.solver == "lbfgs":
        refused = {"optimizer": p.optimizer, "schedule": p.schedule, **p.passed_on}
        for name, value in refused.items():
            if value is not None:
                raise ValueError(f"{name} is of solvers sgd and adam; got {value} for solver lbfgs")
    if p.schedule is not None and p.learning_rate != "constant":
        raise ValueError(
            f"learning_rate must be 'constant' where there is a schedule; got {p.learning_rate!r}"
        )
    return p
