"""Fits of one network on the same rows, epoch after epoch, by scikit-learn's rules.

Updates are those of the compiled loop. Between two of them, what scikit-learn has of its own is
looked at or changed: the penalty of the weights as they are, which is a part of the loss; what of
it falls to the rows of the next batch; Adam's eps, which is not corrected for the moments'
beginning; the order of the rows, which its generator draws.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from fastgd import kernels
from fastgd.arguments.checks import Array
from fastgd.predictor import predict_many
from fastgd.samples import Samples
from fastgd.sklearn.fit import Fit
from fastgd.sklearn.meaning import batch_of, common_options, options_of, rate_factor
from fastgd.sklearn.networks import Objective
from fastgd.sklearn.runs import run_of
from fastgd.state import EPOCH, UPDATES, State, start
from fastgd.training.checkpoint import Checkpoint
from fastgd.training.run import Run

_SQUARES = partial(np.einsum, "ij,ij->i")
# rows times parameters of an update that other threads are had for unasked: some half of a
# millisecond, beside which what Python does between two is short
_THREADED = 2**23
_AHEAD = 256  # updates for which Adam's eps are computed at a time
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

    def __post_init__(self) -> None:
        p, self.n = self.fits[0].p, len(self.samples.X)
        self.batch = batch_of(p, self.n)
        self.batches = -(-self.n // self.batch)
        self.shuffles = bool(p.shuffle and self.batches > 1)
        self.factor = rate_factor(p, self.objective.gradient)
        self.options = [options_of(fit.p, self.n, self.objective.gradient) for fit in self.fits]

    def train(self, epochs: int) -> None:
        """Go through at most so many epochs; fits that are over sooner have fewer. Those that are
        judged by validation rows end with their best parameters.
        """
        options, net = common_options(self.options), self.objective.net
        plan = kernels.plan_for(net, self.samples, options, "matrix")
        alone, threads = len(self.fits) == 1, self.threads
        if not alone or (threads is None and self.batch * net.n_params < _THREADED):
            threads = 1
        key, kernel = kernels.take(plan, options, self.samples, None, threads)
        self.numbers = np.array([one.optimizer.numbers for one in self.options])
        self._begin(kernels.Stepwise(kernel, self._start(options.optimizer), self.numbers))
        begun = time.perf_counter()
        try:
            with self.steps:
                self._go_through(epochs)
        finally:
            self.seconds += time.perf_counter() - begun
            for fit in self.fits:
                fit.params = fit.params.copy() if self.held_out is None else fit.best_params
        kernels.put_back(key, kernel)

    def _start(self, optimizer: Any) -> State:
        params = np.array([fit.params for fit in self.fits])
        rates = self.factor * np.array([fit.rate for fit in self.fits])
        states = start(params, optimizer.first_slots(params, rates), 0)
        for i, begun in enumerate(self.begun or []):
            if begun.slots.shape == states.slots[i].shape:  # by the same kind of optimizer
                states.slots[i], states.powers[i] = begun.slots, begun.powers
                states.cursor[i, [EPOCH, UPDATES]] = begun.cursor[[EPOCH, UPDATES]]
        return states

    @property
    def states(self) -> State:
        """Where the fits stand."""
        states, n = self.steps.states, self.objective.net.n_params
        return replace(states, params=states.params[:, :n], slots=states.slots[..., :n])

    def run(self, i: int) -> Run:
        """The run of a fit, as far as it has come."""
        fit = self.fits[i]
        costs = [float(np.ravel(each)[i]) for each in self.costs[: fit.n_iter]]
        return run_of(
            self.objective, self.samples, fit, self.options[i], costs=costs,
            seconds=self.seconds / len(self.fits), state=self.states[i].copy(),
        )  # fmt: skip

    # -- before the first epoch

    def _begin(self, steps: kernels.Stepwise) -> None:
        self.steps, fits = steps, self.fits
        self.going = np.arange(len(fits))  # those that are not over
        self.starts = np.arange(0, self.n, self.batch)
        self.counts = np.diff([*self.starts, self.n]).astype(float)  # rows of each batch
        layers = self.objective.net.layers
        for fit, own in zip(fits, self.states.params, strict=True):
            fit.params = own
        params = fits[0].params if len(fits) == 1 else steps.states.params
        self.weights = [params[..., layer.weights] for layer in layers]
        self.alphas, epsilons, self.betas = np.array(
            [(fit.p.alpha, fit.p.epsilon, fit.p.beta_2) for fit in fits]
        ).T.copy()
        self.epsilons = self.objective.gradient * epsilons
        p = fits[0].p
        self.is_adam = p.optimizer is None and p.solver == "adam"
        self.penalized = bool(self.alphas.any())
        self.follows = p.schedule is None and any(f.p.learning_rate != "constant" for f in fits)
        if p.schedule is None:
            self._put_rates()
        # a loss by the mean of all batches, the sum of those before the last, and the penalties
        cost, last = self.objective.cost / self.n, self.counts[-1]
        self.of_means, self.of_before = cost * last * self.batches, cost * (self.counts[0] - last)
        self.of_penalty = 0.5 * self.alphas / self.n
        if len(fits) == 1:
            self.of_penalty = float(self.of_penalty[0])
        # of the loop, where it looks for them
        self.means, self.sums = steps.mean_costs, steps.costs_so_far
        self.eps = self.numbers[:, 2] if self.is_adam else self.numbers[:, :0]
        self.corrected: list[Any] = []
        self.done = steps.updates  # in all
        self.constants = self.objective.unexplained(self.samples.Y)
        self.offset: Any = 0.0  # of losses
        self._weigh(np.arange(self.n)[None])
        if self.shuffles:
            self.randoms = list({id(fit.random): fit.random for fit in fits}.values())
            places = {id(random): place for place, random in enumerate(self.randoms)}
            self.which = np.array([places[id(fit.random)] for fit in fits])
            self.orders = np.empty((len(places), self.n + 1), np.int64)
            self.orders[:, :-1] = np.arange(self.n)
            steps.put_orders(self.orders, self.which)

    def _put_rates(self) -> None:
        self.steps.put("rate", self.factor * np.array([fit.rate for fit in self.fits]))

    def _weigh(self, orders: Array) -> None:
        """What batches weigh, if rows come in (1 or fits, n) orders, and what that makes of alpha:
        (batches, fits) l2 of the loop, and shares of the penalty in the loss.
        """
        weights, totals = self.samples.weights, self.counts[:, None]
        constants, self.shares = self.constants, None
        if len(weights):
            totals = np.add.reduceat(weights[orders], self.starts, axis=1, dtype=float).T
            totals = np.where(totals > 0, totals, 1.0)
            shares = self.counts[:, None] / totals
            self.shares = shares[:, 0].tolist() if len(self.fits) == 1 else shares
        if constants is not None:
            constants = constants * weights if len(weights) else constants
            sums = np.add.reduceat(constants[orders], self.starts, axis=1).T
            offset = (self.counts[:, None] * sums / totals).sum(axis=0) / self.n
            self.offset = float(offset[0]) if len(self.fits) == 1 else offset
        self.l2 = np.ascontiguousarray(self.objective.gradient * self.alphas / totals)
        # whether a batch has another one than the batch before it; the first follows the last
        self.changes = (self.l2 != np.roll(self.l2, 1, axis=0)).any(axis=1).tolist()
        self.steps.put("l2", self.l2[-1])

    # -- epochs

    def _go_through(self, epochs: int) -> None:
        fits, going = self.fits, self.going.tolist()
        for _ in range(epochs):
            losses, scores = self._epoch(), self._scores()
            before = [fit.rate for fit in fits] if self.follows else []
            over = [fits[i].finish_epoch(losses[i], self.n, scores.get(i)) for i in going]
            if self.follows:
                self._follow_rates(before)
            if True in over:
                self.going = self.going[~np.array(over)]
                going = self.going.tolist()
                self.steps.keep(self.going)
            if not going:
                break
            if self.checkpoint is not None and self.checkpoint.is_due:
                self.checkpoint.save(self.run(0))

    def _epoch(self) -> list[float]:
        """The losses of an epoch, which this goes through. Sums of one fit are numbers of Python's,
        which take a third of the time of arrays.
        """
        steps, advance, last = self.steps, self.steps.advance, self.batches - 1
        alone = len(self.fits) == 1
        before: Any = 0.0
        penalty: Any = 0.0
        if self.shuffles:
            self._draw_orders()
        self.means.fill(np.inf)
        for batch in range(self.batches):
            if self.changes[batch]:
                steps.put("l2", self.l2[batch])
            if self.is_adam:
                self.eps[...] = self._next_eps()
            if self.penalized:
                squares = self._squares()
                penalty += squares if self.shares is None else self.shares[batch] * squares
            if batch == last and self.of_before:
                before = self.of_before * (self.sums.item() if alone else self.sums)
            advance()
            self.done += 1
        means: Any = self.means.item() if alone else self.means.copy()
        self.costs.append(means)
        losses: Any = self.of_means * means + before + self.of_penalty * penalty + self.offset
        return [float(losses)] if alone else losses.tolist()

    def _squares(self) -> Any:
        """(fits,) sums of squared weights; of one fit a number."""
        total: Any = 0.0
        for weights in self.weights:
            total += weights.dot(weights) if weights.ndim == 1 else _SQUARES(weights, weights)
        return total

    def _next_eps(self) -> Any:
        """(fits,) Adam's eps for the next update, which the loop will correct as it does the
        moments; of one fit a number.
        """
        place = self.done % _AHEAD
        if place == 0 or not self.corrected:
            t = np.arange(1, _AHEAD + 1)[:, None] + (self.done - place)
            corrected = self.epsilons / np.sqrt(1 - self.betas**t)
            self.corrected = corrected[:, 0].tolist() if len(self.fits) == 1 else list(corrected)
        return self.corrected[place]

    def _draw_orders(self) -> None:
        """New orders of the rows, as scikit-learn's `shuffle` gives them."""
        for order, random in zip(self.orders, self.randoms, strict=True):
            drawn = np.arange(self.n)
            random.shuffle(drawn)
            order[:-1] = order[drawn]
        self.orders[:, -1] = self.steps.epoch
        if len(self.samples.weights):
            self._weigh(self.orders[self.which, :-1])

    def _follow_rates(self, before: list[float]) -> None:
        """Have the loop take the fits' rates where they have changed. scikit-learn's velocities
        have the rates in them that they arose at.
        """
        rates = [fit.rate for fit in self.fits]
        if rates != before:
            self._put_rates()
            self.steps.states.slots[...] *= (np.array(before) / rates)[:, None, None]

    def _scores(self) -> dict[int, float]:
        """Of the validation rows, for each fit that is not over."""
        if self.held_out is None or self.score is None:
            return {}
        X, Y, weights = self.held_out
        outputs = predict_many(self.objective.net, self.states.params[self.going], X)
        return {
            i: self.score(each, Y, weights if len(weights) else None)
            for i, each in zip(self.going.tolist(), outputs, strict=True)
        }
