"""`fastgd check`: the four gradients of a network beside each other, layer by layer."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fastgd.cli.options import (
    add_command,
    add_flag,
    add_layers_flag,
    add_network_flags,
    names,
    network,
    number,
    seed,
    whole,
)
from fastgd.words import count

if TYPE_CHECKING:
    from fastgd.arguments.checks import Array
    from fastgd.mlp import MLP

# near the best steps: forward differences err by eps and rounding / eps, central ones by eps^2
_STEPS = {"float64": (1e-8, 6e-6), "float32": (3e-4, 5e-3)}
_EXAMPLES = """\
examples:
  fastgd check --layers 3-5-2
  fastgd check --layers 2-8-8-3 --activation tanh --output softmax --loss cross_entropy
  fastgd check --layers 2-1 --eps 1e-1,1e-2,1e-3,1e-4

The layerwise gradient of the notes has a factor 2 at every layer, 002 (52): at layer l of m it is
compared with 2^(m-l) times backprop.
"""


def add(commands: Any) -> None:
    """The subcommand and its flags."""
    parser = add_command(
        commands, "check", "compare the four gradients of a network, layer by layer", _EXAMPLES
    )
    add_layers_flag(parser, "3-5-2")
    loss = "cross_entropy for a softmax output, else squared_error"
    add_network_flags(parser, activation="sigmoid", output="as --activation", loss=loss)
    add_flag(parser, "--rows", whole, "N", "random rows", 16)
    add_flag(parser, "--seed", seed, "N", "of rows and parameters", 0)
    steps = "show the differences approaching the derivative, step by step, 002 (1)"
    add_flag(parser, "--eps", _steps, "EPS[,EPS...]", steps)
    parser.set_defaults(command=check)


def _steps(text: str) -> list[float]:
    steps = [number(part) for part in names(text)]
    if min(steps) <= 0:
        raise argparse.ArgumentTypeError(f"expected positive steps; got {text!r}")
    return steps


def check(options: argparse.Namespace) -> None:
    """Print the comparison."""
    softmax = "softmax" in (options.output, *names(options.activation or "")[-1:])
    net = network(
        options, options.layers, "sigmoid", None, "cross_entropy" if softmax else "squared_error"
    )
    params, X, Y = _problem(net, options.rows, options.seed)
    print(
        f"{'-'.join(map(str, net.widths))}, {', '.join(net.activations)}, {net.loss}, {net.dtype}: "
        "",
        end="",
    )
    print(
        f"{count(net.n_params, 'parameter')}, {count(options.rows, 'random row')}, seed "
        f"{options.seed}\n"
    )
    exact = net.gradient(params, X, Y)
    if options.eps:
        _approach(net, params, X, Y, exact, options.eps)
    else:
        _compare(net, params, X, Y, exact)


def _problem(net: MLP, rows: int, seed: int) -> tuple[Array, Array, Array]:
    """Random parameters and rows, with targets that suit the loss."""
    import numpy as np

    from fastgd.arguments.checks import seed_of, whole_number

    rows = whole_number("rows", rows, least=1)
    generator = np.random.default_rng(seed_of(seed))
    X = generator.normal(size=(rows, net.widths[0]))
    n_outputs = net.n_targets
    least, most = net.loss_function.targets
    if net.loss_function.whole_layer:
        Y = np.eye(n_outputs)[generator.integers(n_outputs, size=rows)]
    elif np.isfinite(most):
        Y = np.where(generator.integers(2, size=(rows, n_outputs)), most, least)
    else:
        Y = generator.random((rows, n_outputs))
    return net.init(seed), X, Y


def _compare(net: MLP, params: Array, X: Array, Y: Array, exact: Array) -> None:
    forward, central = _STEPS[net.dtype.name]
    others = {
        f"finite {forward:g}": net.gradient(params, X, Y, "finite_difference", forward),
        f"central {central:g}": net.gradient(params, X, Y, "central_difference", central),
    }
    layerwise = net.gradient(params, X, Y, "layerwise") if net.loss == "squared_error" else None
    print("Largest derivative by backprop, and the largest difference of the others from it:\n")
    titles = ["layerwise", *others] if layerwise is not None else list(others)
    header = f"{'layer':<7}{'widths':<10}{'backprop':>12}" + "".join(
        f"{title:>16}" for title in titles
    )
    print(header + ("" if layerwise is None else "   layerwise is"))
    last = len(net.layers)
    for l, place in enumerate(net.layers, start=1):
        part = slice(place.start, place.stop)
        factor = 2 ** (last - l)
        cells = [] if layerwise is None else [abs(layerwise[part] - factor * exact[part]).max()]
        cells += [abs(other[part] - exact[part]).max() for other in others.values()]
        between = f"{place.inputs}-{place.outputs}"
        row = f"{l:<7}{between:<10}{abs(exact[part]).max():>12.4e}"
        row += "".join(f"{cell:>16.2e}" for cell in cells)
        print(row + ("" if layerwise is None else f"   {factor} x backprop"))
    if layerwise is None:
        print(
            "\nlayerwise is left out: the notes define it for squared_error, and the loss is "
            f"{net.loss}."
        )


def _approach(
    net: MLP, params: Array, X: Array, Y: Array, exact: Array, steps: list[float]
) -> None:
    print(
        f"Largest difference from the derivative, whose largest is {abs(exact).max():.4e}, notes "
        "002 (1):\n"
    )
    print(f"{'eps':>10}{'finite':>14}{'central':>14}")
    for eps in steps:
        differences = [
            net.gradient(params, X, Y, method, eps)
            for method in ("finite_difference", "central_difference")
        ]
        print(
            f"{eps:>10g}"
            + "".join(f"{abs(difference - exact).max():>14.4e}" for difference in differences)
        )
