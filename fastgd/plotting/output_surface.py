"""What a network makes of two of its inputs, or of the only one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.arrays import real_array
from fastgd.arguments.checks import Array, shown, whole_number
from fastgd.mlp import MLP
from fastgd.plotting.figure import COLORS, axes_or_new, check_axes
from fastgd.plotting.given import Trained, plain, trained_run
from fastgd.plotting.painted_surface import (
    Painting,
    draw_curves,
    paint_regions,
    paint_two_classes,
    paint_values,
)
from fastgd.svg.plane import middles, outputs_over
from fastgd.system.float_errors import quiet
from fastgd.training.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARGIN = 0.08  # of the rows' range, to either side


@quiet
def surface(
    run: Run | tuple[MLP, ArrayLike],
    X: ArrayLike,
    Y: ArrayLike,
    *,
    inputs: Sequence[int | str] | None = None,
    output: int | None = None,
    held: ArrayLike | None = None,
    resolution: int = 200,
    ax: Axes | None = None,
) -> Axes:
    """The outputs of a network over two of its inputs, behind the rows, which are marked by their
    targets; of a network of one input, the curve.

    One output that tells two classes apart is drawn as its values, with a line half-way between the
    targets; one output of values as its values. Of several outputs, regions are drawn, of the class
    whose output is the largest. Axes are in the units of the table's columns, where the run has a
    table, and in those of X otherwise; so are values.

    Parameters
    ----------
    run : Run or tuple
        A pair (net, params) stands for a run.
    X, Y : array_like, (n, inputs) and (n, outputs)
        As the network is trained on; Y may be (n,) labels of the classes of the run's table. The
        picture reaches a little beyond the rows.
    inputs : two whole numbers or names, optional
        Columns of X on the horizontal and on the vertical axis; the first two if not given.
    output : int, optional
        Which output's values to draw; all of them, as above, if not given.
    held : (inputs,) array_like, optional
        What the other inputs are held at; their means over the rows if not given. Rows are drawn
        wherever their others lie.
    resolution : int
        Pixels along each axis, 2 or more; points of a curve.
    ax : matplotlib Axes, optional
        Where to draw; a new figure's if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError, TypeError
        For what is no run, rows that are not for it, or inputs and outputs that it has not.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> run = fastgd.train(net, X, Y, 2000, 1.0, rng=1)
    >>> ax = fastgd.plotting.surface(run, X, Y, resolution=50)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('$x_{0}$', '$x_{1}$')
    """
    given = trained_run(run)
    net, (x, y) = given.net, given.data(X, Y)
    resolution = whole_number("resolution", resolution, least=2)
    if output is not None:
        output = whole_number("output", output, least=0, most=net.widths[-1] - 1)
    columns = _check_inputs(inputs, given)
    at = x.mean(axis=0, dtype=float) if held is None else _check_held(held, net)
    ax = check_axes(ax)
    ends = [_ends(x[:, k]) for k in columns]
    if len(columns) == 1:
        ax = axes_or_new(ax)
        some = list(range(min(net.widths[-1], len(COLORS)))) if output is None else [output]
        draw_curves(ax, given, x, y, np.linspace(ends[0][0], ends[0][1], resolution), some)
        return ax
    across, up = (middles(each, resolution) for each in ends)
    outputs = outputs_over(partial(net.predict, given.params), columns, across, up, at)
    outputs = outputs.reshape(resolution, resolution, -1)
    ax = axes_or_new(ax, 5.4, 4.4)
    _paint(ax, given, (x, y), outputs, columns, ends, output)
    names = given.names("x")
    ax.set_xlabel(names[columns[0]])
    ax.set_ylabel(names[columns[1]])
    return ax


def _check_held(held: ArrayLike, net: MLP) -> Array:
    at = real_array("held", held, np.dtype(float))
    if at.shape != (net.widths[0],):
        raise ValueError(
            f"held must have shape ({net.widths[0]},), a value for each input; got {at.shape}"
        )
    return at


def _check_inputs(inputs: Any, given: Trained) -> list[int]:
    """Two columns of X, or the only one."""
    count = given.net.widths[0]
    if inputs is None:
        return list(range(min(count, 2)))
    if count == 1:
        raise ValueError(f"inputs must be None for a network of one input; got {shown(inputs)}")
    if isinstance(inputs, str) or not isinstance(inputs, (Sequence, np.ndarray)):
        raise TypeError(f"inputs must be two columns of X; got {shown(inputs)}")
    columns = [_column(f"inputs[{place}]", one, given) for place, one in enumerate(inputs)]
    if len(columns) != 2 or columns[0] == columns[1]:
        raise ValueError(f"inputs must be two different columns of X; got {shown(inputs)}")
    return columns


def _column(argument: str, which: Any, given: Trained) -> int:
    """By its number or its name in the table."""
    if not isinstance(which, str):
        return whole_number(argument, which, least=0, most=given.net.widths[0] - 1)
    if given.table is None:
        raise ValueError(f"{argument} must be a number for a run without a table; got {which!r}")
    if which not in given.table.inputs:
        known = ", ".join(given.table.inputs)
        raise ValueError(f"{argument} must be one of the table's inputs, {known}; got {which!r}")
    return given.table.inputs.index(which)


def _ends(values: Array) -> Array:
    """From where to where the picture goes, (2,), about these values."""
    low, high = float(values.min()), float(values.max())
    margin = _MARGIN * (high - low) or 1.0
    return np.array([low - margin, high + margin])


def _paint(
    ax: Axes, given: Trained, data: tuple[Array, Array], outputs: Array, columns: list[int],
    ends: list[Array], output: int | None,
) -> None:  # fmt: skip
    """The outputs (up, across, outputs) in the units that are known, by their kind."""
    x, y = data
    at = Painting(
        ax,
        *(given.input_units(k, each) for k, each in zip(columns, ends, strict=True)),
        *(given.input_units(k, x[:, k]) for k in columns),
    )
    names = given.names("y")
    if output is None and y.shape[1] > 1:
        paint_regions(at, outputs, y, names)
        return
    k = output or 0
    values = given.target_units(k, outputs[:, :, k].astype(float))
    targets = given.target_units(k, y[:, k].astype(float))
    if len(np.unique(targets)) == 2:
        paint_two_classes(at, values, targets, _labels(given, k, targets), f"output {names[k]}")
    else:
        paint_values(at, values, targets, f"output {names[k]}")


def _labels(given: Trained, output: int, targets: Array) -> tuple[str, str]:
    """Of the two targets of an output, the lower one first."""
    classes = None if given.table is None else given.table.classes
    if classes is None:
        return f"target {targets.min():g}", f"target {targets.max():g}"
    if given.net.widths[-1] == 1:
        return plain(str(classes[0])), plain(str(classes[1]))
    label = plain(str(classes[output]))
    return f"not {label}", label
