"""A network as modules of PyTorch: linear layers, activations, and what a table's columns need."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from fastgd.export.exported import Exported
from fastgd.functions.activation import Activation
from fastgd.functions.formula import Formula as Node

_FUNCTIONS = {
    "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div,
    "negative": torch.neg, "less": torch.lt, "less_equal": torch.le, "equal": torch.eq,
    "and": torch.logical_and, "or": torch.logical_or, "not": torch.logical_not,
    "where": torch.where, "exp": torch.exp, "expm1": torch.expm1, "log": torch.log,
    "log1p": torch.log1p, "sqrt": torch.sqrt, "sin": torch.sin, "cos": torch.cos,
    "tanh": torch.tanh, "sigmoid": torch.sigmoid, "abs": torch.abs, "erf": torch.erf,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "normal_pdf": lambda x: torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi),
    "normal_cdf": torch.special.ndtr, "fma": lambda x, factor, summand: x * factor + summand,
}  # fmt: skip
# what PyTorch has a module for, by the numbers that are an activation's own
_MODULES: dict[str, Any] = {
    "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU, "selu": nn.SELU, "softplus": nn.Softplus, "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU("tanh"), "silu": nn.SiLU, "mish": nn.Mish,
    "softsign": nn.Softsign, "hard_tanh": nn.Hardtanh, "hard_sigmoid": nn.Hardsigmoid,
    "softmax": lambda: nn.Softmax(-1), "identity": nn.Identity,
}  # fmt: skip


class Formula(nn.Module):  # type: ignore[misc]
    """An activation of fastgd that PyTorch has no module for."""

    def __init__(self, activation: Activation):
        super().__init__()
        self.activation = activation

    def forward(self, z: Any) -> Any:
        """f(z), of any shape."""

        def change(node: Node, inner: tuple[Any, ...]) -> Any:
            if node.number is not None:
                return torch.tensor(node.number, dtype=z.dtype, device=z.device)
            return z if node.operation == "variable" else _FUNCTIONS[node.operation](*inner)

        return self.activation.value.changed(change)

    def extra_repr(self) -> str:
        """The name of the activation."""
        return self.activation.name


class Scaling(nn.Module):  # type: ignore[misc]
    """Columns shifted and scaled: (x - shift) / scale, or back, x scale + shift."""

    def __init__(self, shift: Any, scale: Any, back: bool, dtype: Any):
        super().__init__()
        self.back = back
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float64))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float64))
        self.dtype = dtype

    def forward(self, x: Any) -> Any:
        """Of the network's dtype, computed in float64, which loses nothing by a large shift."""
        x = x.to(torch.float64)
        scaled = x * self.scale + self.shift if self.back else (x - self.shift) / self.scale
        return scaled.to(self.dtype)


def to_torch(of: Exported) -> Any:
    """The network as a torch.nn.Sequential."""
    dtype = torch.float64 if of.net.dtype == np.float64 else torch.float32
    modules: list[Any] = []
    if of.input_scaling is not None:
        modules.append(Scaling(*of.input_scaling, back=False, dtype=dtype))
    for layer, (W, b) in zip(of.net.layers, of.layers, strict=True):
        has = {"bias": b is not None, "dtype": dtype}
        linear = nn.utils.skip_init(nn.Linear, layer.inputs, layer.outputs, **has)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W.copy()))
            if b is not None:
                linear.bias.copy_(torch.from_numpy(b.copy()))
        modules.append(linear)
        if layer.activation != "identity":
            modules.append(_module(layer.function))
    if of.target_scaling is not None:
        modules.append(Scaling(*of.target_scaling, back=True, dtype=dtype))
    return nn.Sequential(*modules)


def _module(function: Activation) -> Any:
    if function.named is None or function.family not in _MODULES:
        return Formula(function)
    return _MODULES[function.family](*function.numbers)
