"""A curve fit by Levenberg-Marquardt: a 1-16-1 network on a noisy curve, what it costs after a second of each method.

    python curve_fit.py                                # needs scipy
    pip install pyrenn torch-levenberg-marquardt       # others, which are left out where they are not installed

All begin with the same parameters, from several seeds, and keep the best that they come to; seconds are of the processor. SciPy asks for
what an objective gives: residuals and their exact Jacobian.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

import fastgd

Array = np.ndarray[Any, np.dtype[Any]]

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--seconds", type=float, default=1.0, help="of each method from each seed; %(default)s if not given")
parser.add_argument("--seeds", type=int, default=5, help="%(default)s if not given")
parser.add_argument("--rows", type=int, default=100, help="%(default)s if not given")
options = parser.parse_args()

net = fastgd.MLP(1, 16, 1, activation="tanh", output="identity")
rng = np.random.default_rng(0)
x = np.linspace(-3, 3, options.rows)
y = np.sin(3 * x) * np.exp(-(x**2) / 4) + 0.05 * rng.normal(size=len(x))
X, Y = x[:, None], y[:, None]


class TimeIsUp(Exception):  # noqa: N818 (no error)
    """Raised inside a method that does not look at a clock itself."""


class Watch:
    """The best parameters that a method has tried, until its time is up."""

    def __init__(self, seconds: float):
        self._end = time.process_time() + seconds
        self._least = np.inf
        self.tried = 0

    def look(self, params: Array, cost: float) -> None:
        self.tried += 1
        if cost < self._least:
            self._least, self.best = cost, params.copy()
        if time.process_time() > self._end:
            raise TimeIsUp


def levenberg_marquardt(start: Array, watch: Watch, seconds: float) -> None:
    from scipy.optimize import least_squares

    o = net.objective(X, Y)

    def residuals(params: Array) -> Array:
        result = o.residuals(params)
        watch.look(params, result @ result)
        return result

    least_squares(residuals, start, o.jacobian, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=10**9)


def adam(start: Array, watch: Watch, seconds: float) -> None:
    end = time.process_time() + seconds
    run = fastgd.train(
        net, X, Y, 10**9, 0.01, params=start, optimizer="adam", restore_best=True, callback=lambda progress: time.process_time() > end
    )
    watch.best, watch.tried = run.params, run.epochs


def pyrenn(start: Array, watch: Watch, seconds: float) -> None:
    import pyrenn

    error = pyrenn.calc_error

    def watched(theirs: dict[str, Any], data: Any) -> float:
        cost: float = error(theirs, data)
        watch.look(theirs["w"], cost)
        return cost

    theirs = pyrenn.CreateNN([1, 16, 1])
    theirs["w"] = start.copy()  # they lie as ours, where one number goes in and one comes out
    theirs["normP"] = theirs["normY"] = np.ones(1)  # rows as they are
    pyrenn.calc_error = watched
    try:
        pyrenn.train_LM(x, y, theirs, k_max=10**6, E_stop=0.0)
    finally:
        pyrenn.calc_error = error


def torch_levenberg_marquardt(start: Array, watch: Watch, seconds: float) -> None:
    import torch
    from torch_levenberg_marquardt.training import LevenbergMarquardtModule

    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1)).double()
    for layer, (W, b) in zip(model[::2], net.unpack(start), strict=True):
        layer.weight.data, layer.bias.data = torch.tensor(W), torch.tensor(b)
    module = LevenbergMarquardtModule(model)
    inputs, targets = torch.tensor(X), torch.tensor(Y)
    stop = False
    while not stop:
        before = module.flat_params.numpy().copy()
        _, loss, stop, _ = module.training_step(inputs, targets)
        watch.look(before, float(loss))
    watch.look(module.flat_params.numpy(), net.cost(module.flat_params.numpy(), X, Y))


METHODS: dict[str, Callable[[Array, Watch, float], None]] = {
    "Levenberg-Marquardt, SciPy": levenberg_marquardt,
    "Adam, fastgd.train": adam,
    "pyrenn": pyrenn,
    "torch-levenberg-marquardt": torch_levenberg_marquardt,
}


def fit(method: Callable[[Array, Watch, float], None], seed: int, seconds: float) -> tuple[float, int, float]:
    """The cost that it comes to, how many parameters or epochs it tried, and its seconds."""
    watch, start = Watch(seconds), time.process_time()
    with suppress(TimeIsUp):
        method(net.init(rng=seed), watch, seconds)
    return net.cost(watch.best, X, Y), watch.tried, time.process_time() - start


print(f"{net}\non {len(x)} rows; the curve itself costs {np.mean((y - np.sin(3 * x) * np.exp(-(x**2) / 4)) ** 2):.3e}\n")
print(
    f"{'after ' + format(options.seconds, 'g') + ' s, median of seeds':36}{'cost':>12}{'least':>12}{'most':>12}{'tried':>12}{'seconds':>10}"
)
for name, method in METHODS.items():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other packages
            fit(method, 0, 0.0)  # which imports and compiles
            costs, tried, seconds = zip(*(fit(method, seed, options.seconds) for seed in range(options.seeds)), strict=True)
    except ImportError as error:
        print(f"{name:36}is left out: {error}")
        continue
    print(
        f"{name:36}{np.median(costs):12.3e}{min(costs):12.3e}{max(costs):12.3e}{int(np.median(tried)):12,}{np.median(seconds):10.2f}",
        flush=True,
    )
