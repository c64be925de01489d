"""Fits of one network on the same rows, epoch after epoch, by scikit-learn's rules.

Updates are those of the compiled loop, in stretches of batches that weigh the same. Between two of
them, what scikit-learn has of its own is looked at or changed: the penalty of the weights, which is
a part of the loss; what of it falls to the rows of a batch; the order of the rows; learning rates.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from fastgd import kernels
from fastgd.arguments.checks import Array
from fastgd.options import Options
from fastgd.predictor import predict_many
from fastgd.samples import Samples
from fastgd.schedules import first_plateau
from fastgd.sklearn.batches import Batches
from fastgd.sklearn.fit import Fit
from fastgd.sklearn.meaning import batch_of, common_options, is_sgd, options_of, rate_factor
from fastgd.sklearn.networks import Objective
from fastgd.sklearn.orders import Orders
from fastgd.sklearn.runs import run_of
from fastgd.state import EPOCH, UPDATES, State, start
from fastgd.training.checkpoint import Checkpoint
from fastgd.training.run import Run

# rows times parameters of an update that other threads are had for unasked: some half of a
# millisecond, beside which what Python does between two is short
_THREADED = 2**23
Score = Callable[[Array, Array, "Array | None"], float]  # of outputs, targets, weights


@dataclass
class Course:
    """Fits that differ in numbers, random states and first parameters; all have the same layers,
    rows, batches and kind of optimizer. Those of one random state share the object.

    `held_out` are validation rows, by whose score fits are judged; `begun` are the states that
    they go on from.
    """

    objective: Objective
    samples: Samples
    fits: list[Fit]
    threads: int | None = None
    held_out: Samples | None = None
    score: Score | None = None
    begun: list[State] | None = None
    checkpoint: Checkpoint[Run] | None = None  # of the first fit
    seconds: float = 0.0  # in the loop
    costs: list[Any] = field(default_factory=list)  # (fits,) means of batches in each epoch
    is_under_way: bool = False  # whether there is a loop, which has parameters and states

    @cached_property
    def options(self) -> list[Options]:
        """Those of `fastgd.train` that are nearest to what each fit asks for; ValueError where it
        can't be.
        """
        n, net, factor = len(self.samples.X), self.objective.net, self.objective.gradient
        return [options_of(fit.p, n, factor).checked_for(net, n) for fit in self.fits]

    def _of_each(self, name: str) -> Array:
        """(fits,) numbers of a parameter."""
        return np.array([getattr(fit.p, name) for fit in self.fits], float)

    def train(self, epochs: int) -> None:
        """Go through at most so many epochs; fits that are over sooner have fewer. Those that are
        judged by validation rows end with their best parameters.
        """
        p, options, net = self.fits[0].p, common_options(self.options), self.objective.net
        size = batch_of(p, len(self.samples.X))
        threads = self.threads
        if len(self.fits) > 1 or (threads is None and size * net.n_params < _THREADED):
            threads = 1
        plan = kernels.plan_for(net, self.samples, options, "matrix")
        key, kernel = kernels.take(plan, options, self.samples, None, threads)
        numbers, alphas = [one.optimizer.numbers for one in self.options], self._of_each("alpha")
        self._steps = kernels.Stepwise(
            kernel,
            self._start(kernel),
            np.array(numbers),
            self._eps(),
            penalized=bool(alphas.any()),
        )
        self._batches = Batches(self.objective, self.samples, size, alphas)
        self._begin()
        begun = time.perf_counter()
        self.is_under_way = True
        try:
            with self._steps:
                self._go_through(epochs)
        finally:
            self.seconds += time.perf_counter() - begun
            for fit in self.fits:
                fit.params = fit.params.copy() if self.held_out is None else fit.best_params
        kernels.put_back(key, kernel)

    def run(self, i: int) -> Run:
        """The run of a fit, as far as it has come."""
        fit = self.fits[i]
        costs = [float(np.ravel(each)[i]) for each in self.costs[: fit.n_iter]]
        return run_of(
            self.objective, self.samples, fit, self.options[i], costs=costs,
            seconds=self.seconds / len(self.fits), state=self._states[i].copy(),
        )  # fmt: skip

    @property
    def _states(self) -> State:
        """Where the fits stand."""
        states, n = self._steps.states, self.objective.net.n_params
        return replace(states, params=states.params[:, :n], slots=states.slots[..., :n])

    # -- before the first epoch

    def _start(self, kernel: kernels.Bound) -> State:
        options, params = kernel.options, np.array([fit.params for fit in self.fits])
        states = start(
            params,
            options.optimizer.first_slots(params, self._rates()),
            options.record,
            powers=options.optimizer.powers,
            plateau=np.tile(first_plateau(options.learning_rate), (len(params), 1)),
        )
        for i, begun in enumerate(self.begun or []):
            fresh = states[i]
            if begun.slots.shape != fresh.slots.shape or begun.powers.shape != fresh.powers.shape:
                continue
            fresh.slots[...], fresh.powers[...] = begun.slots, begun.powers
            fresh.cursor[[EPOCH, UPDATES]] = begun.cursor[[EPOCH, UPDATES]]
            if begun.plateau.shape == fresh.plateau.shape:
                fresh.plateau[...] = begun.plateau
        return states

    def _rates(self) -> Array:
        """(fits,) learning rates of the loop."""
        factor = rate_factor(self.fits[0].p, self.objective.gradient)
        return factor * np.array([fit.rate for fit in self.fits])

    def _eps(self) -> Array:
        """(fits,) of Adam as scikit-learn has it, without the correction for the moments' beginning
        at 0; (0,) of other optimizers.
        """
        p = self.fits[0].p
        is_theirs = p.optimizer is None and p.solver == "adam"
        return self.objective.gradient * self._of_each("epsilon") if is_theirs else np.zeros(0)

    def _begin(self) -> None:
        steps, fits, p = self._steps, self.fits, self.fits[0].p
        self._going = np.arange(len(fits))  # those that are not over
        for fit, own in zip(fits, self._states.params, strict=True):
            fit.params = own
        self._follows = p.schedule is None and any(f.p.learning_rate != "constant" for f in fits)
        if p.schedule is None:
            steps.put("rate", self._rates())
        if p.passed_on:  # of what chance does in the loop
            seeds = [fit.random.randint(2**31 - 1) for fit in fits]
            steps.put("seed", np.array(seeds, np.int64))
        self._l2: Array | None = None  # what the loop has
        self._orders: Orders | None = None
        if p.shuffle and self._batches.count > 1:
            self._orders = Orders(len(self.samples.X), [fit.random for fit in fits])
            steps.put_orders(self._orders.arrays, self._orders.which)

    # -- epochs

    def _go_through(self, epochs: int) -> None:
        fits, going, rows = self.fits, self._going.tolist(), len(self.samples.X)
        for _ in range(epochs):
            losses, scores = self._epoch(), self._scores()
            before = [fit.rate for fit in fits] if self._follows else []
            over = [fits[i].finish_epoch(losses[i], rows, scores.get(i)) for i in going]
            if self._follows:
                self._follow_rates(before)
            if True in over:
                self._going = self._going[~np.array(over)]
                going = self._going.tolist()
                self._steps.keep(self._going)
            if not going:
                break
            if self.checkpoint is not None and self.checkpoint.is_due:
                self.checkpoint.save(self.run(0))

    def _epoch(self) -> list[float]:
        """The losses of an epoch, which this goes through."""
        steps, batches, orders = self._steps, self._batches, self._orders
        means, squares = steps.mean_costs, steps.squares
        before: Any = 0.0
        penalties: Any = 0.0
        if orders is not None:
            orders.draw(steps.epoch)
            if len(self.samples.weights):
                batches.weigh(orders.of_fits())
        means.fill(np.inf)
        for stretch in batches.stretches:
            if stretch.l2 is not self._l2:
                self._l2 = stretch.l2
                steps.put("l2", stretch.l2)
            if stretch.is_short:
                before = self._own(steps.costs_so_far)
            steps.advance(stretch.updates)
            if len(squares):
                penalties += stretch.share * self._own(squares)
        self.costs.append(self._own(means))
        return batches.losses(self.costs[-1], before, penalties)

    def _own(self, values: Array) -> Any:
        """What each fit has, (fits,), or the number of a single one; as it is now."""
        return values.item() if len(self.fits) == 1 else values.copy()

    def _follow_rates(self, before: list[float]) -> None:
        """Have the loop take the fits' rates where they have changed. scikit-learn's velocities
        have the rates in them that they arose at.
        """
        rates = [fit.rate for fit in self.fits]
        if rates != before:
            self._steps.put("rate", self._rates())
            if is_sgd(self.fits[0].p):
                self._steps.states.slots[...] *= (np.array(before) / rates)[:, None, None]

    def _scores(self) -> dict[int, float]:
        """Of the validation rows, for each fit that is not over."""
        if self.held_out is None or self.score is None:
            return {}
        X, Y, weights = self.held_out
        outputs = predict_many(self.objective.net, self._states.params[self._going], X)
        return {
            i: self.score(each, Y, weights if len(weights) else None)
            for i, each in zip(self._going.tolist(), outputs, strict=True)
        }
