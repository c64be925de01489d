"""Every public name has an example in its docstring, and it is true."""

import doctest
import importlib
import inspect
import sys
from pathlib import Path

import numpy as np
import pytest

import fastgd
from fastgd.optimizers import KINDS as OPTIMIZERS
from fastgd.schedules import KINDS as SCHEDULES

sys.path.append(str(Path(__file__).parent.parent / "docs"))

from machinery.public import public_names
from machinery.shown import agrees

NAMES = public_names()
NEEDS = {  # packages that the tests' extra has not
    "fastgd.from_torch": "torch",
    "fastgd.callbacks.mlflow": "mlflow",
    "fastgd.callbacks.tensorboard": "tensorboard",
    "fastgd.callbacks.wandb": "wandb",
}


class Checker(doctest.OutputChecker):
    """What is printed agrees as on pages of the docs."""

    def check_output(self, want, got, optionflags):
        return agrees(want, got)


def test_names():
    """Of the package all that it names itself, every optimizer and schedule, and all of the rooms of functions."""
    assert {f"fastgd.{name}" for name in fastgd.__all__} - NAMES.keys() == {"fastgd.__version__"}
    assert {f"fastgd.{kind.__name__}" for kind in OPTIMIZERS.values()} <= NAMES.keys()
    assert {f"fastgd.schedules.{kind.__name__}" for kind in SCHEDULES.values()} <= NAMES.keys()
    for room in ("callbacks", "data", "numeric", "plotting", "sklearn"):
        module = importlib.import_module(f"fastgd.{room}")
        assert {f"fastgd.{room}.{name}" for name in module.__all__} <= NAMES.keys()


@pytest.mark.parametrize("name", [name for name, one in NAMES.items() if not inspect.ismodule(one)])
def test_example(name, folder, monkeypatch):
    examples = doctest.DocTestFinder(recurse=False).find(NAMES[name], name, globs={"fastgd": fastgd, "np": np})
    (example,) = (each for each in examples if each.name == name)
    assert example.examples, f"{name} has no example"
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("WANDB_MODE", "offline")
    told = []
    failed = doctest.DocTestRunner(Checker()).run(example, out=told.append).failed
    assert failed == 0, "".join(told)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
