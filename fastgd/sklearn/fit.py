"""How far one fit is, as scikit-learn counts: its losses, its best, its learning rate, and when it
is over.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array

_LEAST_RATE = 1e-6  # of "adaptive"


class Fit:
    """One network on its way, by the parameters `p` of an estimator.

    `params` are flat, and change while it is trained; those of the best validation score are kept
    as `best_params`.
    """

    def __init__(self, p: SimpleNamespace, params: Array, random: np.random.RandomState):
        self.p, self.params, self.random = p, params, random
        self.rate = p.learning_rate_init
        self.loss, self.losses = math.nan, list[float]()
        self.best_loss, self.best_score = math.inf, -math.inf
        self.scores: list[float] = []
        self.best_params = params
        self.no_improvement = 0
        self.seen = 0  # rows, those of each epoch counted anew
        self.n_iter = 0
        self.converged = False
        self.message = (  # if it does not
            f"Stochastic Optimizer: Maximum iterations ({p.max_iter}) reached and the optimization "
            "hasn't converged yet."
        )

    def kept(self) -> dict[str, Any]:
        """What another fit goes on from, which counts its own epochs."""
        names = "rate losses best_loss best_score scores best_params no_improvement seen"
        return {name: getattr(self, name) for name in names.split()}

    def finish_epoch(self, loss: float, rows: int, score: float | None = None) -> bool:
        """Look at the loss of an epoch of so many rows, or at the score of the validation rows
        after it if there is one. Whether the fit is over.
        """
        p = self.p
        self.n_iter += 1
        self.seen += rows
        self.loss = loss
        self.losses.append(loss)
        if p.verbose:
            print(f"Iteration {self.n_iter}, loss = {loss:.8f}")
        if score is None:
            worse = loss > self.best_loss - p.tol
            if loss < self.best_loss:
                self.best_loss = loss
        else:
            worse = self._look_at(score)
        self.no_improvement = self.no_improvement + 1 if worse else 0
        if p.learning_rate == "invscaling" and p.solver == "sgd":
            self.rate = p.learning_rate_init / (self.seen + 1) ** p.power_t
        if self.no_improvement > p.n_iter_no_change:
            self.converged = self._gives_up(score is not None)
            self.no_improvement = self.no_improvement if self.converged else 0
        return self.converged or self.n_iter == p.max_iter

    def _look_at(self, score: float) -> bool:
        """Whether a validation score is no better than the best by `tol`."""
        p = self.p
        self.scores.append(score)
        if p.verbose:
            print(f"Validation score: {score:f}")
        worse = bool(score < self.best_score + p.tol)
        if score > self.best_score:
            self.best_score, self.best_params = score, self.params.copy()
        return worse

    def _gives_up(self, by_score: bool) -> bool:
        """Whether epochs without progress end the fit, or divide the rate of "adaptive" by 5."""
        p = self.p
        ends: bool = True
        then = " Stopping."
        if p.learning_rate == "adaptive" and p.solver == "sgd":
            ends, then = self.rate <= _LEAST_RATE, " Learning rate too small. Stopping."
            if not ends:
                self.rate /= 5.0
                then = f" Setting learning rate to {self.rate:f}"
        if p.verbose:
            what = "Validation score" if by_score else "Training loss"
            epochs = f"for {p.n_iter_no_change} consecutive epochs."
            print(f"{what} did not improve more than tol={p.tol:f} {epochs}{then}")
        return ends
