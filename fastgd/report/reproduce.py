"""How a run is had again: a call of Python, and a command of the shell where one says it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from fastgd.arguments.described import not_by_default
from fastgd.names import KERNELS_OF_ONE, OPTIMIZER_FLAGS, SCHEDULE_FLAGS
from fastgd.network import Network
from fastgd.optimizers import Optimizer
from fastgd.options import DEFAULTS
from fastgd.report.told import Told
from fastgd.schedules import Schedule


def call_of(run: Told, scheme: str | None = None) -> str:
    """The call of `fastgd.train` that comes to the run; X and Y stand for its rows. Initial
    parameters are those of its seed, by a scheme that is not auto where one is given.
    """
    rate = run.options["learning_rate"]
    arguments = [f"net, X, Y, {run.epochs}, {_python(rate)}"]
    if scheme is not None:
        arguments.append(f"params=net.init({run.seed}, {scheme!r})")
    arguments.append(f"rng={run.seed}")
    if run.kernel in KERNELS_OF_ONE:
        arguments.append(f"kernel={run.kernel!r}")
    arguments += [f"{name}={_python(value)}" for name, value in _asked(run.options)]
    if run.history.validation is not None:
        arguments.append("validation=(X_validation, Y_validation)")
    inner = ",\n    ".join(arguments)
    return f"import fastgd\n\nnet = {_network(run.net)}\nrun = fastgd.train(\n    {inner},\n)\n"


def command_of(run: Told, scheme: str | None = None, gate: str | None = None) -> str | None:
    """The command that comes to it from a gate, or from a file of rows: ROWS.csv where the run has
    a table, ROWS.npz of X and Y otherwise; None where no command says it.
    """
    net = run.net
    if net.own_functions or any("," in name for name in (*net.activations, net.loss)):
        return None
    words = ["fastgd", "train"]
    if gate is not None:
        words += ["--gate", gate]
        scheme = scheme or "auto"  # which is not what gates begin with by default
    else:
        words += ["ROWS.npz" if run.table is None else "ROWS.csv", *_of_table(run.table)]
    words += ["--layers", "-".join(map(str, net.widths)), "--activation", ",".join(net.activations)]
    words += ["--loss", net.loss, *([] if net.bias else ["--no-bias"]), "--dtype", net.dtype.name]
    words += ["--epochs", str(run.epochs), "--seed", str(run.seed)]
    words += ["--kernel", run.kernel] if run.kernel in KERNELS_OF_ONE else []
    words += [] if scheme is None else ["--init", scheme]
    words += _of_options(run.options)
    return shlex.join(words) + (" --validation SHARE" if run.history.validation is not None else "")


def _asked(options: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The options but for the learning rate that are not what they are by default."""
    for name, value in options.items():
        if name != "learning_rate" and name in DEFAULTS and value != DEFAULTS[name]:
            yield name, value


def _python(value: Any) -> str:
    """As it is written in Python."""
    if isinstance(value, (Optimizer, Schedule)):
        room = "fastgd.schedules" if isinstance(value, Schedule) else "fastgd"
        given = ", ".join(f"{name}={number!r}" for name, number in not_by_default(value).items())
        return f"{room}.{type(value).__name__}({given})"
    return repr(value)


def _network(net: Network) -> str:
    own = {each.name for each in net.own_functions}
    named = [name if name in own else repr(name) for name in net.activations]
    activation = named[0] if len(set(named)) == 1 else f"[{', '.join(named)}]"
    loss = net.loss if net.loss in own else repr(net.loss)
    bias = "" if net.bias else ", bias=False"
    widths = ", ".join(map(str, net.widths))
    dtype = net.dtype.name
    return f"fastgd.MLP({widths}, activation={activation}, loss={loss}{bias}, dtype={dtype!r})"


# -- flags


def _of_table(table: Mapping[str, Any] | None) -> list[str]:
    """Flags of columns; an .npz has its rows as they are trained on."""
    if table is None:
        return ["--task", "values", "--scale-inputs", "none", "--scale-targets", "none"]
    flags = []
    for flag, names in (("--target", table["targets"]), ("--inputs", table["inputs"])):
        is_plain = all(name == name.strip() and "," not in name for name in names)
        flags += [f"{flag}={each}" for each in ([",".join(names)] if is_plain else names)]
    flags += ["--task", "values" if table["classes"] is None else "classes"]
    for flag, of in (("--scale-inputs", "input"), ("--scale-targets", "target")):
        shift, scale = table[f"{of}_shift"], table[f"{of}_scale"]
        is_plain = all(each == 0 for each in shift) and all(each == 1 for each in scale)
        flags += [flag, "none"] if scale and is_plain else []
    return flags


def _of_options(options: Mapping[str, Any]) -> list[str]:
    flags = []
    rate = options["learning_rate"]
    if not isinstance(rate, Schedule):
        flags += [f"--learning-rate={rate!r}"]
    else:
        numbers = not_by_default(rate)
        if "rate" in numbers:
            flags += [f"--learning-rate={numbers.pop('rate')!r}"]
        flags += ["--schedule", rate.name, *_of_fields(numbers, SCHEDULE_FLAGS)]
    for name, value in _asked(options):
        if isinstance(value, Optimizer):
            flags += ["--optimizer", type(value).__name__.lower()]
            flags += _of_fields(not_by_default(value), OPTIMIZER_FLAGS)
        elif name == "shuffle":
            flags += ["--no-shuffle"]
        else:
            flags += _flag(f"--{name.replace('_', '-')}", value)
    return flags


def _of_fields(numbers: Mapping[str, Any], flags: Mapping[str, str]) -> list[str]:
    return [
        word
        for name, value in numbers.items()
        for word in _flag(flags.get(name, f"--{name.replace('_', '-')}"), value)
    ]


def _flag(flag: str, value: Any) -> list[str]:
    if value is True:
        return [flag]
    numbers = value if isinstance(value, tuple) else (value,)
    return [f"{flag}={','.join(str(each) for each in numbers)}"]
