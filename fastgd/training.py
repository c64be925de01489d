"""train(): a compiled loop in chunks, and between them everything that Python does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastgd import gradients
from fastgd.checks import finite_number, seed_of, whole_number
from fastgd.names import KERNELS, OPTIMIZERS, check_name
from fastgd.network import MLP
from fastgd.run import DivergedError, History, Run

if TYPE_CHECKING:
    from fastgd.kernels import Kernel, State

CHUNK_SECONDS = 0.05
_MOST_EPOCHS = 2**62
_FAR_BACK = 512  # updates between the two latest states that are kept: more than it takes a cost to overflow before parameters do


class Progress(NamedTuple):
    """What a `progress` function is told between chunks."""

    epoch: int  # epochs finished
    epochs: int  # to be finished
    cost: float  # the last recorded one
    seconds: float  # in compiled loops so far


def train(
    net: MLP,
    X: ArrayLike,
    Y: ArrayLike,
    epochs: int,
    learning_rate: float = 0.1,
    *,
    params: ArrayLike | Run | None = None,
    rng: int | np.random.Generator | None = None,
    method: str = "backprop",
    eps: float = 1e-3,
    batch_size: int | None = None,
    shuffle: bool = True,
    optimizer: str = "sgd",
    kernel: str = "auto",
    record: int = 1000,
    progress: Callable[[Progress], object] | None = None,
) -> Run:
    """Train a network: every epoch runs inside compiled code.

    Parameters
    ----------
    net : MLP
    X, Y : array_like, (n, inputs) and (n, outputs); 1-D is one column
        Arrays of the network's dtype are used where they are, not copied: leave them alone while training runs.
    epochs : int
        Passes over the rows. With `params=run`, further ones.
    learning_rate : float
    params : (n_params,) array_like or Run, optional
        Initial parameters, `net.init(rng)` if not given. A Run goes on where it ended: its seed, its count of epochs, its history. With
        the same options, the result is that of one longer run.
    rng : int, numpy Generator or None
        Seed of the initial parameters and of the order of rows; None draws one. Same seed, same bits.
    method : str
        backprop (exact), layerwise (a factor 2 at every layer, notes 002 (52)), finite_difference (notes 002 (1)) or central_difference.
    eps : float
        Step of the two difference methods.
    batch_size : int, optional
        Rows of a batch, notes 004 Algorithm 1; None takes all rows at once. The last batch of an epoch may be short.
    shuffle : bool
        Whether the rows of mini-batches are put in a new order every epoch.
    optimizer : str
        sgd.
    kernel : str
        auto, matrix (any network) or unrolled (small ones, several times faster, compiled for each). auto chooses by the arguments alone,
        and unrolls where training would take longer than compiling; after a Run it is the Run's.
    record : int
        Most points of the history, spaced evenly; the first and the last epoch are always among them.
    progress : callable, optional
        Called between chunks with a `Progress`.

    Returns
    -------
    Run

    Raises
    ------
    ValueError, TypeError
        For bad arguments, before anything is compiled.
    DivergedError
        When a cost or a parameter stops being finite; it carries the last good run.
    """
    if not isinstance(net, MLP):
        raise TypeError(f"net must be an MLP; got {net!r}")
    X, Y = gradients.check_data(net, X, Y)
    epochs = whole_number("epochs", epochs, least=0, most=_MOST_EPOCHS)
    options: dict[str, Any] = {
        "method": gradients.check_method(net, method),
        "learning_rate": finite_number("learning_rate", learning_rate),
        "eps": finite_number("eps", eps, positive=True),
        "batch_size": None if batch_size is None else whole_number("batch_size", batch_size, least=1, most=len(X)),
        "shuffle": _truth("shuffle", shuffle),
        "optimizer": check_name("optimizer", optimizer, OPTIMIZERS),
    }
    check_name("kernel", kernel, KERNELS)
    record = whole_number("record", record, least=2)
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be a function or None; got {progress!r}")
    before = params if isinstance(params, Run) else None
    seed = before.seed if before is not None and rng is None else seed_of(rng)
    if isinstance(params, Run):
        if params.net != net:
            raise ValueError(f"params must be a Run of {net}; got one of {params.net}")
        initial = params.params
    else:
        initial = net.init(seed) if params is None else net.check_params(params)

    from fastgd import kernels

    if before is not None and kernel == "auto" and before.kernel in kernels.serving(net, method):
        kernel = before.kernel
    plan = kernels.make_plan(net, len(X), options["batch_size"], options["shuffle"], method, kernel, epochs)
    first = before.epochs if before is not None else 0
    whole_number("epochs", first + epochs, least=0, most=_MOST_EPOCHS)
    schedule = np.unique(np.linspace(first, first + epochs, min(record, epochs + 1)).round().astype(np.int64))[:-1]
    state = kernels.start(kernels.pad(initial), seed, first, first + epochs, schedule)
    run = Run(net, initial.copy(), np.nan, first, 0.0, plan.kernel, seed, "epochs", History(schedule[:0], np.zeros(0)), options)
    training = _Training(run, kernels.load(plan, X, Y), state)
    with kernels.one_blas_thread(plan):
        for seconds in training.chunks():
            if progress is not None:
                cost = state.costs[state.recorded - 1] if state.recorded else np.nan
                progress(Progress(state.epoch, state.epochs, float(cost), seconds))
        run = training.result()
    return run if before is None else _joined(before, run, record)


def _truth(argument: str, value: object) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument} must be True or False; got {value!r}")
    return bool(value)


class _Training:
    """A state on its way from its first epoch to its last."""

    def __init__(self, run: Run, kernel: Kernel, state: State):
        self.run, self.kernel, self.state = run, kernel, state
        self.seconds = 0.0
        self.cost = np.nan  # of all rows, at the end
        self.kept = [state.copy()]  # the first state and two of the latest, to go back to

    def _advance(self, limit: int) -> float:
        """Advance and return the seconds that it took."""
        return self.kernel.advance(self.state, self.run.options["learning_rate"], self.run.options["eps"], limit)

    def chunks(self) -> Iterator[float]:
        """Advance to the end, chunk by chunk of about CHUNK_SECONDS; yield the seconds in compiled code so far."""
        self._advance(0)  # compiles
        limit = 1
        while self.state.epoch < self.state.epochs:
            self._keep()
            elapsed = self._advance(limit)
            self.seconds += elapsed
            if not self._is_finite():
                self._raise_diverged()
            yield self.seconds
            limit = max(1, int(limit * min(10.0, CHUNK_SECONDS / max(elapsed, 1e-9))))
        self.cost = self._cost()
        if not np.isfinite(self.cost):
            self._raise_diverged()

    def _cost(self) -> float:
        return self.kernel.cost(self.state.params[: self.run.net.n_params])

    # -- numbers that stop being finite: the verdict depends on the updates alone, not on where chunks end

    def _is_finite(self) -> bool:
        """Whether all parameters and recorded costs are; once they are not, they stay so."""
        return bool(np.isfinite(self.state.params).all() and np.isfinite(self.state.costs[: self.state.recorded]).all())

    def _updates(self, state: State) -> int:
        return state.updates(self.kernel.plan.batches)

    def _keep(self) -> None:
        """Keep the state; of those kept before, the first and one that is some way back."""
        first, latest = self.kept[0], self.state.copy()
        back = self.kept[-1] if self._updates(latest) - self._updates(self.kept[-1]) >= _FAR_BACK else self.kept[len(self.kept) // 2]
        self.kept = [first, back, latest]

    def _go_to(self, update: int) -> None:
        """Put the state where it was after `update` updates."""
        nearest = max((state for state in self.kept if self._updates(state) <= update), key=self._updates)
        self.state = nearest.copy()
        self._advance(update - self._updates(nearest))

    def _raise_diverged(self) -> None:
        """Find the last update after which every number was finite, the cost of all rows included, and raise."""
        # by halving: up to `good` parameters and recorded costs are finite, from `bad` on they are not
        good, bad = self._updates(self.kept[-1]), self._updates(self.state) + int(self._is_finite())
        while bad - good > 1:
            middle = (good + bad) // 2
            self._go_to(middle)
            good, bad = (middle, bad) if self._is_finite() else (good, middle)
        # the cost overflows before the parameters do: go back in growing steps until it does not, then halve again
        first, back, bad, update = self._updates(self.kept[0]), 0, good + 1, good
        self._go_to(update)
        while not np.isfinite(self._cost()) and update > first:
            back, bad = 2 * back + 1, update
            update = max(good - back, first)
            self._go_to(update)
        good = update
        while bad - good > 1:
            middle = (good + bad) // 2
            self._go_to(middle)
            good, bad = (middle, bad) if np.isfinite(self._cost()) else (good, middle)
        self._go_to(good)
        self.cost = self._cost()
        run = replace(self.result(), stopped_by="diverged")
        if not np.isfinite(self.cost):
            raise DivergedError(f"the cost of the initial parameters is {self.cost}; scale X and Y", run)
        rate = self.run.options["learning_rate"]
        raise DivergedError(
            f"cost or parameters stopped being finite in epoch {self.state.epoch + 1} at learning_rate {rate:g}; "
            "try a smaller learning_rate, or scale X and Y",
            run,
        )

    def result(self) -> Run:
        """The run as far as the state has come."""
        state, net = self.state, self.run.net
        params = state.params[: net.n_params].copy()
        done = state.recorded
        # an epoch that has begun has a recorded cost of its own beside the final one
        keep = done if done == 0 or state.record[done - 1] < state.epoch else done - 1
        epoch = np.append(state.record[:keep], state.epoch)
        costs = np.append(state.costs[:keep], self.cost)
        return replace(self.run, params=params, cost=self.cost, epochs=state.epoch, seconds=self.seconds, history=History(epoch, costs))


def _joined(before: Run, after: Run, record: int) -> Run:
    """The run that went on from `before`, seen from the start."""
    epoch = np.concatenate([before.history.epoch[:-1], after.history.epoch])
    cost = np.concatenate([before.history.cost[:-1], after.history.cost])
    even = np.linspace(epoch[0], epoch[-1], min(record, len(epoch)))
    kept = np.unique(np.searchsorted((epoch[:-1] + epoch[1:]) / 2, even))  # the points nearest to even ones
    return replace(after, seconds=before.seconds + after.seconds, history=History(epoch[kept], cost[kept]), table=before.table)
