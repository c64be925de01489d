"""Who is compared: fastgd's kernels, and the same work in other programs, which run beside this one. Each is checked before it is timed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import programs
import reference
from cases import Case
from programs import Result
from unavailable import Unavailable

import fastgd

OUR_KERNELS = ["unrolled", "matrix"]
OURS = [f"fastgd {kernel}" for kernel in OUR_KERNELS]
KINDS = [*OURS, *programs.KINDS]


class Competitor(Protocol):
    def train(self, epochs: int, shuffle: bool) -> Result:
        """Train from the case's initial parameters."""


@contextmanager
def competitor(kind: str, case: Case) -> Iterator[Competitor]:
    """The competitor of this kind, checked on the case; or Unavailable."""
    if kind in OURS:
        kernel = kind.removeprefix("fastgd ")
        if kernel not in case.kernels:
            raise Unavailable(f"the {kernel} kernel is for smaller networks")
        ours = Fastgd(case, kernel)
        check(ours, case)
        yield ours
    else:
        with programs.Process(programs.command(kind, case), case) as process:
            check(process, case, "plain" if kind == "scikit-learn" else "corrected")
            yield process


def check(one: Competitor, case: Case, epsilon: str = "corrected") -> None:
    """AssertionError if the parameters after `case.checked_epochs` epochs are not the NumPy reference's, by this meaning of epsilon.

    Where the timed run shuffles, every competitor has an order of its own: then the costs must come out about the same, and the
    parameters must not.
    """
    expected = reference.train(case, case.checked_epochs, False, epsilon)
    in_order = one.train(case.checked_epochs, shuffle=False).params
    error = np.linalg.norm(in_order - expected) / np.linalg.norm(expected - case.initial)
    assert error < case.tolerance, f"{case}: parameters are {error:.2g} of their way off, {case.tolerance:g} allowed"
    if case.shuffled:
        shuffled = one.train(case.checked_epochs, shuffle=True).params
        assert not np.array_equal(shuffled, in_order), f"{case}: the rows were not shuffled"
        for epochs in case.curve or (case.checked_epochs,):
            got = reference.cost(case, one.train(epochs, shuffle=True).params)
            wanted = reference.cost(case, reference.train(case, epochs, True, epsilon))
            told = f"{case}: the cost is {got:.4g} after {epochs} shuffled epochs, {wanted:.4g} expected"
            assert abs(got / wanted - 1) < case.cost_tolerance, told


class Fastgd:
    def __init__(self, case: Case, kernel: str):
        self.case, self.kernel = case, kernel

    def train(self, epochs: int, shuffle: bool) -> Result:
        case = self.case
        run = fastgd.train(
            case.net, *case.data, epochs, case.learning_rate, params=case.initial, rng=0, method=case.method, eps=case.eps,
            batch_size=case.batch_size, optimizer=case.optimizer, shuffle=shuffle, kernel=self.kernel, threads=case.threads,
            record=2,  # the first cost and the last: the others compute none
        )  # fmt: skip
        return Result(run.seconds, run.params)
