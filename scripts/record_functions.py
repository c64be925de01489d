"""Records PyTorch's activations and losses with their gradients, in float64, into tests/data/functions.json. Needs torch.

Prints how many there are.
"""

import json
from argparse import ArgumentParser
from pathlib import Path

import torch
from torch import nn

ArgumentParser(description=__doc__).parse_args()

FILE = Path(__file__).parent.parent / "tests" / "data" / "functions.json"
ABOUT = (
    "f(z) and f'(z) of activations at the points z, losses of single outputs a with targets y and their derivatives by a, by z where "
    "the loss is one of z; gaussian_nll of means z with logarithms of variances, and its derivatives by both; cross_entropy of rows of "
    "three z, by scripts/record_functions.py with torch {}."
)
Z = [-30.0, -8.0, -3.5, -2.0, -1.0, -0.5, -1e-3, 1e-3, 0.25, 0.5, 1.0, 2.0, 2.9, 3.5, 8.0, 30.0]
ACTIVATIONS = {
    "identity": nn.Identity(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(),
    "leaky_relu(0.2)": nn.LeakyReLU(0.2), "elu": nn.ELU(), "elu(0.5)": nn.ELU(0.5), "selu": nn.SELU(),
    "softplus": nn.Softplus(threshold=100), "softplus(2)": nn.Softplus(2, threshold=100), "gelu": nn.GELU(), "gelu_tanh": nn.GELU("tanh"),
    "silu": nn.SiLU(), "mish": nn.Mish(), "softsign": nn.Softsign(), "hard_tanh": nn.Hardtanh(), "hard_sigmoid": nn.Hardsigmoid(),
    "sin": torch.sin, "exp": torch.exp, "square": torch.square, "absolute": torch.abs,
}  # fmt: skip
LOSSES = {  # of inputs and targets
    "squared_error": nn.MSELoss(reduction="none"), "absolute": nn.L1Loss(reduction="none"), "huber": nn.HuberLoss(reduction="none"),
    "huber(0.3)": nn.HuberLoss(reduction="none", delta=0.3), "poisson": nn.PoissonNLLLoss(reduction="none"),
    "binary_cross_entropy": nn.BCEWithLogitsLoss(reduction="none"),
}  # fmt: skip
OF_ROWS = {
    "cross_entropy": nn.CrossEntropyLoss(reduction="none"),
    "cross_entropy(0.1)": nn.CrossEntropyLoss(reduction="none", label_smoothing=0.1),
}
ROWS = [[0.5, -1.0, 2.0], [3.0, 3.0, -4.0], [-20.0, 10.0, 0.0]]
LOG_VARIANCES = [(5 * i % 16) / 2 - 4.0 for i in range(len(Z))]
SHARES = [[0.0, 1.0, 0.0], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]


def with_gradient(function, values):
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    result = function(x)
    result.sum().backward()
    return {"value": result.tolist(), "slope": x.grad.tolist()}


def of_pairs(function, values, others):
    mean, log_variance = (torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in (values, others))
    result = function(mean, y, torch.exp(log_variance))
    result.sum().backward()
    return {"value": result.tolist(), "slope": mean.grad.tolist(), "slope_by_b": log_variance.grad.tolist()}


targets = [(7 * i % 11) / 10 for i in range(len(Z))]
y, shares = torch.tensor(targets, dtype=torch.float64), torch.tensor(SHARES, dtype=torch.float64)
data = {
    "about": ABOUT.format(torch.__version__.partition("+")[0]),
    "z": Z, "y": targets, "rows": ROWS, "shares": SHARES,
    "activations": {name: with_gradient(f, Z) for name, f in ACTIVATIONS.items()},
    "losses": {name: with_gradient(lambda x, f=f: f(x, y), Z) for name, f in LOSSES.items()},
    "log_variances": LOG_VARIANCES, "losses_of_pairs": {"gaussian_nll": of_pairs(nn.GaussianNLLLoss(reduction="none"), Z, LOG_VARIANCES)},
    "losses_of_rows": {name: with_gradient(lambda x, f=f: f(x, shares), ROWS) for name, f in OF_ROWS.items()},
}  # fmt: skip
FILE.write_text(json.dumps(data, indent=0) + "\n")
print(f"{len(ACTIVATIONS)} activations, {len(LOSSES) + len(OF_ROWS) + 1} losses")
