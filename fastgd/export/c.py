"""A network as one header of C99, which needs nothing but math.h and allocates nothing."""

from __future__ import annotations

import os
from pathlib import PurePath

from fastgd.arguments.checks import finite_number, truth
from fastgd.arguments.choices import check_name
from fastgd.export.c_fixed import FixedCode
from fastgd.export.c_gradients import jacobian, step
from fastgd.export.c_layers import Code
from fastgd.export.c_words import checked_name, comment, enclosed, string
from fastgd.export.exported import Exported, write_text
from fastgd.export.fixed_point import BITS
from fastgd.export.fixed_point import fixed_point as made_fixed_point
from fastgd.names import DTYPES

_RANGE = 4.0  # of inputs, as a network in whole numbers sees them, if none is given
_REAL = {"float64": "double", "float32": "float"}


def to_c(
    of: Exported,
    path: str | os.PathLike[str] | None,
    name: str,
    dtype: str | None,
    gradient: bool,
    train: bool,
    fixed_point: str | None,
    input_range: float | None,
) -> str:
    """The text of the header, written to `path` too if there is one.

    Raises
    ------
    ValueError, TypeError
        If the name is none of C, or an option has no such value.
    OSError
        If the file can't be written.
    """
    real = _REAL[of.net.dtype.name if dtype is None else check_name("dtype", dtype, DTYPES)]
    gradient, train = truth("gradient", gradient), truth("train", train)
    if train:
        of.net.check_one_output("train")
    code = Code(of, checked_name(name), real, constant=not train)
    bits = None if fixed_point is None else BITS[check_name("fixed_point", fixed_point, list(BITS))]
    if bits is not None and (gradient or train or dtype is not None):
        raise ValueError("fixed_point can't be given with dtype, gradient or train")
    largest = _RANGE if input_range is None else _checked_range(input_range, bits)
    linked = path is not None and PurePath(os.fspath(path)).suffix == ".c"
    linkage = "" if linked else " static inline"
    if bits is None:
        text = _text(code, gradient, train, linkage)
    else:
        fixed = FixedCode(of, made_fixed_point(of, bits, largest), name)
        text = fixed.text(linkage, _classes(code, fixed.kind, fixed.output_fraction))
    if path is not None:
        write_text(path, text)
    return text


def _checked_range(value: object, bits: int | None) -> float:
    if bits is None:
        raise ValueError(f"input_range is for fixed_point; got {value!r} without")
    return finite_number("input_range", value, least=2.0**-8, below=2.0**16)


def _text(code: Code, gradient: bool, train: bool, linkage: str) -> str:
    size, net, count = code.name.upper(), code.of.net, len(code.layers)
    parts = [
        comment(_about(code, gradient, train)),
        f"#ifndef {size}_INCLUDED\n#define {size}_INCLUDED\n",
        "#include <math.h>\n",
        f"#ifndef {size}_API\n#define {size}_API{linkage}\n#endif\n",
        f"#define {size}_INPUTS {net.widths[0]}\n#define {size}_OUTPUTS {net.widths[-1]}\n",
        _classes(code),
        code.functions(with_slopes=gradient or train),
        code.finite(),
        code.scaling(),
        *(code.forward(l) for l in range(1, count + 1)),
        _predict(code),
        *(
            code.backward(l)
            for l in range(1, len(code.layers) + 1)
            if gradient or (train and l > 1)
        ),
        jacobian(code) if gradient else "",
        step(code) if train else "",
        "#endif\n",
    ]
    return "\n".join(filter(None, parts))


def _predict(code: Code) -> str:
    size, real = code.name.upper(), code.real
    refused = [code.every_output("y[j] = NAN;"), "return;"]
    lines = [*code.unless_finite(refused, x="INPUTS"), *code.pass_forward(last="y")]
    lines += code.scaled_back("y")
    taken = f"const {real} x[{size}_INPUTS], {real} y[{size}_OUTPUTS]"
    of = comment(["the outputs y of an input x; NaN, all of them, unless all of x is finite"])
    return of + code.public("", taken, lines)


def _classes(code: Code, kind: str | None = None, fraction: int = 0) -> str:
    """The labels, and which of them outputs say, be they whole numbers of a kind."""
    classes, size = code.of.classes, code.name.upper()
    if classes is None:
        return ""
    names = enclosed([string(str(label)) for label in classes])
    labels = [
        f"static const char *const labels[] = {names};",
        f'return number >= 0 && number < {len(classes)} ? labels[number] : "";',
    ]
    lines, none = [], ""
    if kind is None:
        lines, none = [code.every_output("if (isnan(y[j])) return -1;")], ", -1 where any is NaN"
    if code.layers[-1].outputs == 1:
        half = code.number(0.5) if kind is None else str(1 << max(fraction - 1, 0))
        lines += [f"return y[0] >= {half} ? 1 : 0;"]
    else:
        lines += [
            "int chosen = 0;",
            f"for (int j = 1; j < {size}_OUTPUTS; ++j)",
            "    if (y[j] > y[chosen]) chosen = j;",
            "return chosen;",
        ]
    return (
        f"#define {size}_CLASSES {len(classes)}\n"
        + comment(["the label of a class, in UTF-8; empty where there is none of this number"])
        + code.public("label", "int number", labels, "const char *")
        + comment([f"the number of the class that outputs say{none}"])
        + code.public("class", f"const {kind or code.real} y[{size}_OUTPUTS]", lines, "int")
    )


def _about(code: Code, gradient: bool, train: bool) -> list[str]:
    """What stands at the top."""
    net, real, name, size = code.of.net, code.real, code.name, code.name.upper()
    wide = "-".join(map(str, net.widths))
    lines = [f"{name}: a network {wide} of {net.n_params} parameters, written by fastgd", ""]
    lines += [f"void {name}(const {real} x[{size}_INPUTS], {real} y[{size}_OUTPUTS]);"]
    if code.of.classes is not None:
        lines += [f"int {name}_class(const {real} y[{size}_OUTPUTS]);"]
        lines += [f"const char *{name}_label(int number);"]
    if gradient:
        lines += [
            f"void {name}_jacobian(const {real} x[{size}_INPUTS], {real} y[{size}_OUTPUTS],",
            f"    {real} jacobian[{size}_OUTPUTS][{size}_INPUTS]);",
        ]
    if train:
        lines += [
            f"{real} {name}_step(const {real} x[{size}_INPUTS], const {real} y[{size}_OUTPUTS], "
            f"{real} rate);"
        ]
    lines += [""]
    lines += [f"layer {l}: {code.equation(l)}" for l in range(1, len(code.layers) + 1)]
    if train:
        lines += [f"loss: {net.loss}"]
    table = code.of.table
    if table is not None:
        lines += ["", *(f"x[{k}]: {column}" for k, column in enumerate(table.inputs))]
        if table.classes is None:
            lines += [f"y[{k}]: {column}" for k, column in enumerate(table.targets)]
        elif table.outputs == 1:
            lines += [f"y[0]: {table.targets[0]} is {table.classes[1]}"]
        else:
            name = table.targets[0]
            lines += [f"y[{k}]: {name} is {each}" for k, each in enumerate(table.classes)]
    return lines
