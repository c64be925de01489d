"""What is cited of the notes: file and equation, or the heading where a file has no numbers."""

from __future__ import annotations

from fastgd.network import Network

# what each says
CITED = {
    "002 (2)": "the linear model",
    "002 (3)": "the cost of the linear model",
    "002 (4)": "the derivative of that cost",
    "002 (6)": "which is the mean of derivatives",
    "002 (7)": "and what each of these is",
    "002 (9)": "the sigmoid",
    "002 (10)": "the derivative of the sigmoid",
    "002 (11)": "the activation of one neuron",
    "002 (13)": "its derivative by a weight, by the chain rule",
    "002 (14)": "its derivative by a weight",
    "002 (16)": "its derivative by the bias",
    "002 (17)": "the cost of one neuron",
    "002 (18)": "its derivative by a weight, as the mean of derivatives",
    "002 (19)": "its derivative by a weight, by the chain rule",
    "002 (20)": "its derivative by a weight",
    "002 (22)": "its derivative by the bias",
    "002 (32)": "the cost of the last layer",
    "002 (33)": "its derivative by a weight, as the mean of derivatives",
    "002 (34)": "its derivative by a weight, by the chain rule",
    "002 (35)": "its derivative by a weight",
    "002 (36)": "its derivative by the bias",
    "002 (38)": "what a layer before the last should have computed",
    "002 (45)": "the activation of any layer",
    "002 (46)": "its derivative by a weight",
    "002 (47)": "its derivative by the bias",
    "002 (48)": "its derivative by the activation before",
    "002 (49)": "the cost of any layer",
    "002 (50)": "its derivative by a weight",
    "002 (51)": "its derivative by the bias",
    "002 (52)": "its derivative by the activation before",
    "004 1": "a layer as a product of a matrix and a vector",
    "004 1.1": "the cost of one sample and of all, and the chain rule",
    "004 Biases": "the derivative of the cost by the biases of the last layer",
    "004 Weights": "the derivative of the cost by the weights of the last layer",
    "004 Previous Layer": "the derivative of the cost by the activations of the layer before",
    "004 Next Layer": "all of these, one layer before",
    "004 Algorithm 1": "the training loop",
}

_Cites = tuple[str, ...]
_LINEAR: dict[str, _Cites] = {
    "forward": ("002 (2)",), "loss": ("002 (3)",), "cost": ("002 (3)",),
    "cost by weight": ("002 (4)", "002 (6)", "002 (7)", "002 (7)"),
}  # fmt: skip
_NEURON: dict[str, _Cites] = {
    "forward": ("002 (11)",), "loss": ("002 (17)",), "cost": ("002 (17)",),
    "activation by weight": ("002 (13)", "002 (14)"), "activation by bias": ("002 (16)",),
    "cost by weight": ("002 (18)", "002 (19)", "002 (20)", "002 (20)"),
    "cost by bias": ("002 (22)",),
}  # fmt: skip
_DEEP: dict[str, _Cites] = {
    "forward": ("002 (45)",), "loss": ("002 (32)",), "cost": ("002 (32)",),
    "activation by weight": ("002 (46)",), "activation by bias": ("002 (47)",),
    "activation by activation": ("002 (48)",),
}  # fmt: skip
_LAST: dict[str, _Cites] = {  # of a chain of units
    "cost by weight": ("002 (33)", "002 (34)", "002 (35)", "002 (35)"),
    "cost by bias": ("002 (36)",), "delta": ("002 (36)",),
}  # fmt: skip
_EXACT: dict[str, _Cites] = {
    "cost by weight": ("004 Weights",), "cost by bias": ("004 Biases",),
    "activation": ("004 Previous Layer",), "delta": ("004 Biases",),
}  # fmt: skip
_ALWAYS: dict[str, _Cites] = {
    "sigmoid": ("002 (9)",), "sigmoid by z": ("002 (10)",), "squared_error": ("002 (17)",),
    "squared_error by a": ("002 (20)",), "update": ("004 Algorithm 1",),
    "layer cost": ("002 (49)",), "expected": ("002 (38)",),
    "layer cost by activation": ("002 (52)",), "layer cost by z": ("002 (51)",),
    "layer cost by weight": ("002 (50)",), "layer cost by bias": ("002 (51)",),
}  # fmt: skip


def cites_of(net: Network, kind: str, l: int) -> _Cites:
    """The equations of the notes of which each line of this kind is a case, in a layer l; the last
    one goes on where there are more lines. None where the notes have none.
    """
    if kind in _ALWAYS:
        return _ALWAYS[kind]
    last, is_chain = len(net.layers), max(net.widths) == 1
    is_exact = kind in _EXACT
    if last == 1 and net.widths[-1] == 1:
        linear = net.activations == ("identity",) and not net.bias and net.widths == (1, 1)
        found = (_LINEAR if linear else _NEURON).get(kind)
        return found or ((_NEURON["cost by bias"] if kind == "delta" else ()) if is_exact else ())
    if is_chain and l == last and kind in _LAST:
        return _LAST[kind]
    if is_exact:
        if l < last and not kind.startswith("activation"):
            return ("004 Next Layer",)
        return _EXACT[kind]
    if kind == "forward" and not is_chain:
        return "002 (45)", "004 1"
    if kind in ("loss", "cost") and not is_chain:
        return ("004 1.1",)
    return _DEEP.get(kind, ())
