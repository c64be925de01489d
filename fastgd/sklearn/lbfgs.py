"""solver="lbfgs": SciPy's L-BFGS-B over the objective of a network, which is bound once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from fastgd.arguments.checks import Array
from fastgd.objective import Objective as Bound
from fastgd.samples import Samples
from fastgd.sklearn.fit import Fit
from fastgd.sklearn.networks import Objective, squares
from fastgd.sklearn.runs import run_of
from fastgd.training.run import Run


@dataclass
class Minimization:
    """Fits of one network to the same rows, one after the other."""

    objective: Objective
    samples: Samples
    fits: list[Fit]
    is_under_way: bool = True  # from the beginning: parameters are those that fits have

    def train(self, epochs: int) -> None:
        """Bring each to its end, in at most as many iterations as it asks for."""
        for fit in self.fits:
            _minimize(self.objective, self.samples, fit)

    def run(self, i: int) -> Run:
        """The run of a fit."""
        return run_of(self.objective, self.samples, self.fits[i])


def _minimize(objective: Objective, samples: Samples, fit: Fit) -> None:
    p, net, factor = fit.p, objective.net, objective.gradient
    weights = samples.weights
    total = float(weights.sum(dtype=np.float64)) if len(weights) else float(len(samples.X))
    bound = Bound(net, samples, factor * p.alpha / total)

    def loss_and_gradient(params: Array) -> tuple[float, Array]:
        """Of which the gradient is exact, for several outputs too."""
        value, gradient = bound(params)
        return value / factor, np.asarray(gradient, np.float64) / factor

    def tell(intermediate_result: Any) -> None:
        print(f"loss = {intermediate_result.fun:.8f}")

    result = minimize(
        loss_and_gradient,
        fit.params.astype(np.float64),
        method="L-BFGS-B",
        jac=True,
        callback=tell if p.verbose else None,
        options={"maxfun": p.max_fun, "maxiter": p.max_iter, "gtol": p.tol},
    )
    fit.params = result.x.astype(net.dtype)
    fit.n_iter, fit.converged = min(int(result.nit), p.max_iter), result.status == 0
    fit.message = (
        f"lbfgs failed to converge after {fit.n_iter} iteration(s) (status={result.status}): "
        f"{result.message}. Increase max_iter, {p.max_iter}, or scale the data"
    )
    penalty = 0.5 * p.alpha * squares(net, fit.params) / total
    fit.loss = (float(result.fun) - penalty) * factor * objective.cost + penalty
    constants = objective.unexplained(samples.Y)
    if constants is not None:
        fit.loss += float(np.average(constants, weights=weights if len(weights) else None))
