"""The matrix kernel of a plan, bound to its data: training, and what parameters come to."""

from functools import cached_property
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.binding import Bound
from fastgd.kernels.codes import CALLED
from fastgd.kernels.generated.lines import functions_line
from fastgd.kernels.plan import Plan, needs_matrix
from fastgd.kernels.structs import Apart, Problem
from fastgd.machine.cache import Entry, entry
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.state import State

MATRIX = '''"""The matrix kernel, for every network of a dtype."""

from fastgd.machine.jit import kernel
from fastgd.kernels import epoch
from fastgd.kernels.matrix import kernel as matrix
from fastgd.kernels.matrix import layer_costs as costs
from fastgd.kernels.codes import HELP

# by 3, LLVM writes loops out, for each choice that is made in them too, at three times the time
OPTIMIZATION = 2


@kernel
def train(address, zero, limit):
    if epoch.problem_of(address, zero).command == HELP:
        matrix.help_out(address, zero)
    else:
        epoch.train(matrix.steps, address, zero, limit)


@kernel
def evaluate(address, zero, limit):
    matrix.evaluate(address, zero)


@kernel
def layer_costs(address, zero, limit):
    costs.layer_costs(address, zero)
'''


APART = '''"""{what}, which the matrix kernel calls."""

from fastgd.machine.jit import kernel
from fastgd.kernels.epoch import problem_of
from fastgd.kernels.matrix import {module}

OPTIMIZATION = 2


@kernel
def train(address, zero, limit):
    {module}.run(problem_of(address, zero), limit)
'''
# what few plans need, each a kernel of its own in this module
FEW_ROWS, HALVES, SLICES, FEW_UNITS, DIFFERENCES = (
    APART.format(what=what, module=module)
    for what, module in [
        ("Steps of few rows", "few_steps"),
        ("Updates by hidden halves", "shared_halves"),
        ("Passes by slices of units", "sliced_layers"),
        ("A first layer of few units", "few_units"),
        ("Difference quotients", "differences"),
    ]
)
ALL_APART = FEW_ROWS, HALVES, SLICES, FEW_UNITS, DIFFERENCES


CALLED_UPDATE = '''"""The {kind} update, which the matrix kernel calls."""

from fastgd.machine.jit import kernel
from fastgd.kernels.epoch import problem_of
from fastgd.kernels.update import functions_of, update_called
{functions}


@kernel
def train(address, zero, limit):
    update_called(begin, update, problem_of(address, zero), limit)
'''


PERTURBATION = '''"""Dropout, noise and bounds of weights, which the matrix kernel calls."""

from fastgd.machine.jit import kernel
from fastgd.kernels.epoch import problem_of
from fastgd.kernels.perturbation import perturb


@kernel
def train(address, zero, limit):
    perturb(problem_of(address, zero), limit)
'''


def _apart_of(plan: Plan) -> tuple[str, str, str]:
    """The texts of the kernels that a plan needs beside the matrix kernel, each for its place in
    Apart; "" where it needs none.
    """
    if plan.few_rows:
        arrangement = FEW_ROWS
    elif plan.hidden_halves:
        arrangement = HALVES
    else:
        arrangement = SLICES if plan.unit_slices else ""
    few_units = FEW_UNITS if plan.few_units else ""
    return arrangement, few_units, DIFFERENCES if plan.method.endswith("difference") else ""


def apart(text: str, dtype: np.dtype[Any]) -> Entry:
    """One of ALL_APART."""
    return entry("apart", text, "train", dtype)


def _address_of(text: str, dtype: np.dtype[Any]) -> int:
    return apart(text, dtype).c_address() if text else 0


class Matrix(Bound):
    """The matrix kernel of a plan and its data."""

    def __init__(
        self,
        plan: Plan,
        options: Options,
        samples: Samples,
        held_out: Samples | None = None,
        threads: int = 1,
    ):
        super().__init__(plan, options, samples, held_out, threads, plan.block)
        self.apart = Apart(*(_address_of(text, plan.net.dtype) for text in _apart_of(plan)))
        if needs_matrix(plan):
            perturbation = entry("perturbation", PERTURBATION, "train", plan.net.dtype)
            self.noise = self.noise._replace(address=perturbation.c_address())

    def entry(self, function: str) -> Entry:
        return entry("matrix", MATRIX, function, self.plan.net.dtype)

    def problem(self, state: State, command: int, *, rank: int = 0) -> Problem:
        problem = super().problem(state, command, rank=rank)
        if problem.rule.update_kind != CALLED:
            return problem
        rule = problem.rule._replace(update_address=self._called_update)
        return problem._replace(rule=rule)

    @cached_property
    def _called_update(self) -> int:
        """The address of the update that the matrix kernel does not hold."""
        kind = self.plan.update_kind
        text = CALLED_UPDATE.format(kind=kind, functions=functions_line(kind))
        return entry("update", text, "train", self.plan.net.dtype).c_address()

    @property
    def gradient(self) -> Array:
        """The gradient of the last update, (n_params,)."""
        gradient: Array = self.works[0].gradient[: self.net.n_params]
        return gradient
