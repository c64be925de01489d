"""A graph of ONNX, node by node: formulas and layers as its operators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.functions.formula import Formula
from fastgd.network import Layer

OPSET = 13
_OPERATORS = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "negative": "Neg",
    "less": "Less", "less_equal": "LessOrEqual", "equal": "Equal", "and": "And", "or": "Or",
    "not": "Not", "where": "Where", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "sin": "Sin",
    "cos": "Cos", "tanh": "Tanh", "sigmoid": "Sigmoid", "abs": "Abs", "erf": "Erf",
}  # fmt: skip


class Graph:
    """Nodes and constants so far; a value is known by its name."""

    def __init__(self, onnx: Any, dtype: np.dtype[Any]):
        self.onnx, self.dtype = onnx, dtype
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    @property
    def kind(self) -> int:
        """The number that ONNX has for its floats."""
        kinds = self.onnx.TensorProto
        return int(kinds.DOUBLE if self.dtype == np.float64 else kinds.FLOAT)

    def constant(self, name: str, values: Array) -> str:
        """A tensor of known numbers."""
        self.constants.setdefault(name, self.onnx.numpy_helper.from_array(values, name))
        return name

    def number(self, value: float) -> str:
        """A known number."""
        with np.errstate(all="ignore"):
            return self.constant(f"number_{value!r}", np.array(value, self.dtype))

    def apply(self, operator: str, *values: str, name: str | None = None, **how: Any) -> str:
        """An operator of values, and its result."""
        result = name or f"{operator.lower()}_{len(self.nodes)}"
        node = self.onnx.helper.make_node(operator, list(values), [result], name=result, **how)
        self.nodes.append(node)
        return result

    # -- formulas

    def formula(self, formula: Formula, **values: str) -> str:
        """What a formula computes of these values."""

        def change(node: Formula, inner: tuple[str, ...]) -> str:
            if node.operation == "variable":
                return values[node.arguments[0]]
            if node.number is not None:
                return self.number(node.number)
            return self._operation(node.operation, *inner)

        result: str = formula.changed(change)
        return result

    def _operation(self, operation: str, *values: str) -> str:
        if operation in _OPERATORS:
            return self._exact(_OPERATORS[operation], *values)
        x, *others = values
        match operation:
            case "fma":
                return self.apply("Add", self.apply("Mul", x, others[0]), others[1])
            case "expm1":  # 2 t / (1 - t), t = tanh(x / 2), which loses nothing where x is small
                half = self.apply("Mul", x, self.number(0.5))
                t = self.apply("Tanh", half)
                near = self.apply(
                    "Div",
                    self.apply("Mul", t, self.number(2.0)),
                    self.apply("Sub", self.number(1.0), t),
                )
                far = self.apply("Sub", self.apply("Exp", x), self.number(1.0))
                is_near = self.apply("Less", self.apply("Abs", x), self.number(1.0))
                return self.apply("Where", is_near, near, far)
            case "log1p":  # log u (x / (u - 1)), u = 1 + x, and x where that is 1
                u = self.apply("Add", x, self.number(1.0))
                d = self.apply("Sub", u, self.number(1.0))
                is_one = self.apply("Equal", d, self.number(0.0))
                safe = self.apply("Where", is_one, self.number(1.0), d)
                scaled = self.apply("Mul", self.apply("Log", u), self.apply("Div", x, safe))
                return self.apply("Where", is_one, x, scaled)
            case "softplus":
                e = self.apply("Exp", self.apply("Neg", self.apply("Abs", x)))
                is_negative = self.apply("Less", x, self.number(0.0))
                above = self.apply("Where", is_negative, self.number(0.0), x)
                return self.apply("Add", above, self._operation("log1p", e))
            case "normal_cdf":
                scaled = self.apply("Mul", x, self.number(math.sqrt(0.5)))
                grown = self.apply("Add", self._exact("Erf", scaled), self.number(1.0))
                return self.apply("Mul", grown, self.number(0.5))
            case "normal_pdf":
                half_square = self.apply("Mul", self.apply("Mul", x, x), self.number(-0.5))
                largest = self.number(1 / math.sqrt(2 * math.pi))
                return self.apply("Mul", self.apply("Exp", half_square), largest)
        raise ValueError(f"{operation} has no operators of ONNX")

    def _exact(self, operator: str, *values: str) -> str:
        """An operator; of floats where common runtimes have it for nothing else."""
        if operator != "Erf" or self.dtype == np.float32:
            return self.apply(operator, *values)
        single = self.apply("Cast", *values, to=int(self.onnx.TensorProto.FLOAT))
        return self.apply("Cast", self.apply(operator, single), to=self.kind)

    # -- layers

    def layer(self, l: int, layer: Layer, weights: Array, biases: Array | None, x: str) -> str:
        """a = f(W x + b) for every row: (n, inputs) to (n, outputs)."""
        own = [self.constant(f"W{l}", weights.astype(self.dtype))]
        own += [self.constant(f"b{l}", biases.astype(self.dtype))] if biases is not None else []
        z = self.apply("Gemm", x, *own, name=f"z{l}", transB=1)
        if layer.function.whole_layer:
            return self.apply("Softmax", z, name=f"a{l}", axis=1)
        return self.formula(layer.function.value, z=z)

    def scaled(self, x: str, shift: Sequence[float], scale: Sequence[float]) -> str:
        """(x - shift) / scale, by column, without what a shift of floats would lack."""
        whole = np.array(shift).astype(self.dtype)
        x = self.apply("Sub", x, self.constant("input_shift", whole))
        rest = (np.array(shift) - whole).astype(self.dtype)
        if rest.any():
            x = self.apply("Sub", x, self.constant("input_shift_rest", rest))
        return self.apply("Div", x, self.constant("input_scale", np.array(scale, self.dtype)))

    def scaled_back(self, a: str, shift: Sequence[float], scale: Sequence[float]) -> str:
        """a scale + shift, by column."""
        a = self.apply("Mul", a, self.constant("target_scale", np.array(scale, self.dtype)))
        return self.apply("Add", a, self.constant("target_shift", np.array(shift, self.dtype)))
