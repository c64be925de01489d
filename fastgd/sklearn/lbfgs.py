"""solver="lbfgs": SciPy's L-BFGS-B over the objective of a network, which is bound once."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from fastgd.arguments.checks import Array
from fastgd.samples import Samples
from fastgd.sklearn.fit import Fit
from fastgd.sklearn.networks import Objective, squares


def minimized(objective: Objective, samples: Samples, fit: Fit) -> None:
    """Bring a fit to its end: parameters, loss and iterations."""
    from fastgd.objective import Objective as Bound

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
    fit.n_iter = min(int(result.nit), p.max_iter)
    fit.converged = result.status == 0
    if not fit.converged:
        warnings.warn(
            f"lbfgs failed to converge after {fit.n_iter} iteration(s) "
            f"(status={result.status}): {result.message}. Increase max_iter, {p.max_iter}, or "
            "scale the data",
            ConvergenceWarning,
            stacklevel=5,
        )
    penalty = 0.5 * p.alpha * squares(net, fit.params) / total
    of_data = result.fun - penalty
    fit.loss = of_data * factor * objective.cost + penalty
