"""Activations and losses of the caller's own in files: by name and text, which is never run.

Loading asks for the objects, and compares their text with that of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd.activations import ACTIVATIONS
from fastgd.functions.activation import Activation
from fastgd.functions.loss import Loss
from fastgd.losses import LOSSES
from fastgd.network import Network

Own = Sequence[Activation | Loss]


class MissingError(ValueError):
    """A file needs a function that was not given, or another one than was given."""


def told(net: Network) -> dict[str, dict[str, dict[str, str]]]:
    """The texts of a network's own functions, by what they are and their names; {} without any."""
    texts: dict[str, dict[str, str]] = {}
    for each in net.own_functions:
        texts.setdefault(each.what, {})[each.name] = each.text
    return {"own": texts} if texts else {}


def check_own(activations: object, losses: object) -> Own:
    """What is given to load a file by; TypeError for anything but lists of functions."""
    own: list[Activation | Loss] = []
    for argument, given, kind in (
        ("activations", activations, Activation), ("losses", losses, Loss),
    ):  # fmt: skip
        if not isinstance(given, (list, tuple)) or not all(isinstance(f, kind) for f in given):
            name = f"fastgd.{kind.__name__}"
            raise TypeError(f"{argument} must be a list of {name} objects; got {given!r}")
        own += given
    return own


class _Told(Activation):
    """What stands for an activation that is known by its name and its text alone."""

    def __init__(self, name: str, text: str):
        super().__init__(lambda z: z, name=name.partition("(")[0], check=False)
        self.name, self.text = name, text


class _ToldLoss(Loss):
    """What stands for a loss that is known by its name and its text alone."""

    def __init__(self, name: str, text: str):
        super().__init__(lambda a, y: (a - y) ** 2, name=name.partition("(")[0], check=False)
        self.name, self.text = name, text


def told_alone(described: dict[str, Any]) -> Own:
    """Functions of a file that have its names and its texts, for who shows these and computes
    nothing by them.
    """
    texts = described.get("own", {})
    kinds = ("activation", _Told), ("loss", _ToldLoss)
    return [
        kind(str(name), str(text))
        for what, kind in kinds
        for name, text in texts.get(what, {}).items()
    ]


def with_own(path: str, described: dict[str, Any], own: Own) -> dict[str, Any]:
    """The arguments of a network of a file, its own functions in the place of their names.

    Raises
    ------
    MissingError
        If one is not given, or computes something else.
    """
    texts = described.pop("own", {})
    names: dict[str, set[str]] = {
        "activation": set(described["activation"]),
        "loss": {described["loss"]},
    }
    found: dict[str, dict[str, Activation | Loss]] = {"activation": {}, "loss": {}}
    tables = {"activation": list(ACTIVATIONS), "loss": list(LOSSES)}
    for what, there in names.items():
        for name in there:
            if name.partition("(")[0] not in tables[what]:
                found[what][name] = _found(path, what, name, texts.get(what, {}).get(name), own)
    activations = [found["activation"].get(name, name) for name in described["activation"]]
    loss = found["loss"].get(described["loss"], described["loss"])
    return {**described, "activation": activations, "loss": loss}


def _found(path: str, what: str, name: str, text: str | None, own: Own) -> Activation | Loss:
    family, _, numbers = name.partition("(")
    argument = {"activation": "activations", "loss": "losses"}[what]
    for each in own:
        if each.what == what and each.family == family:
            told = [float(number) for number in numbers.rstrip(")").split(",") if number]
            try:
                function: Activation | Loss = each if each.name == name else each.by(*told)
            except TypeError as error:
                raise MissingError(f"{path!r} needs {what} {name!r}: {error}") from None
            if text is not None and function.text != text:
                raise MissingError(
                    f"{what} {name!r} must compute what it did when {path!r} was written, which "
                    f"was {_on_one_line(text)}"
                )
            return function
    raise MissingError(
        f"{path!r} needs {what} {name!r}, which is not built in: give it as {argument}=[{family}]"
        + (f"; it was {_on_one_line(text)}" if text else "")
    )


def _on_one_line(text: str) -> str:
    lines = text.partition("\n\n")[0].split("\n")
    return " ".join([lines[0], "; ".join(line.strip() for line in lines[1:])])
