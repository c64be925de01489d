"""The run of a fit: what plots, exports and `fastgd.train` go on from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastgd.objective import Objective as Bound
from fastgd.objective import cost_of
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.sklearn.fit import Fit
from fastgd.sklearn.networks import Objective
from fastgd.state import State
from fastgd.training.history import History
from fastgd.training.run import Run


def run_of(
    objective: Objective,
    samples: Samples,
    fit: Fit,
    options: Options | None = None,
    *,
    seconds: float = np.nan,
    costs: list[float] | None = None,
    state: State | None = None,
) -> Run:
    """As far as the fit has come. Its history has the means over the batches of the latest epochs,
    as `fastgd.train` has them, not the losses of the estimator; and costs are the network's.
    """
    net, costs = objective.net, costs or []
    epochs = fit.n_iter if state is None else state.epoch
    if len(samples.weights):
        cost = Bound(net, samples).cost(fit.params)
    else:
        cost = cost_of(net, fit.params, samples.X, samples.Y)
    history = History(
        np.arange(epochs - len(costs), epochs + 1), np.array([*costs, cost], np.float64)
    )
    options = replace(options or Options(), patience=None)
    stopped_by = "patience" if fit.converged else "epochs"
    return Run(
        net, fit.params.copy(), cost, epochs, seconds, "matrix", 0, stopped_by, history,
        options.to_dict(), state=state,
    )  # fmt: skip
