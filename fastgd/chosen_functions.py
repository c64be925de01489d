"""The activations and the loss of a network, from what a user writes for them."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.activations import ACTIVATIONS
from fastgd.activations import activation as built_in_activation
from fastgd.arguments.checks import shown
from fastgd.functions.activation import Activation
from fastgd.functions.loss import Loss
from fastgd.losses import LOSSES
from fastgd.losses import loss as built_in_loss


def one_a_layer(
    activation: str | Activation | Sequence[str | Activation],
    output: str | Activation | None,
    n_layers: int,
) -> list[Activation]:
    """The activation of each layer; softmax is allowed in the last one only."""
    if isinstance(activation, (str, Activation)):
        names = [activation] * n_layers
    elif isinstance(activation, Sequence):
        names = list(activation)
        if output is not None and len(names) == n_layers - 1:
            names.append(output)
        if len(names) != n_layers:
            raise ValueError(
                f"activation must be one name or one for each of {n_layers} layers; got "
                f"{len(names)}: {names}"
            )
    else:
        raise TypeError(
            "activation must be a name or a sequence of names, or of fastgd.Activation objects; "
            f"got {shown(activation)}"
        )
    last = None if output is None else _checked_activation("output", output)
    if last is not None:
        names[-1] = last
    functions = [_checked_activation("activation", name) for name in names]
    for position, function in enumerate(functions[:-1]):
        if function.whole_layer:
            raise ValueError(
                f"activation {function.name!r} belongs to the output layer only; got it in layer "
                f"{position + 1} of {n_layers}"
            )
    return functions


def _checked_activation(argument: str, given: str | Activation) -> Activation:
    """The activation of this name, or one of the caller's own."""
    if not isinstance(given, Activation):
        if callable(given):
            name = "a name or a fastgd.Activation"
            raise TypeError(f"{argument} must be {name}; got {shown(given)}")
        return built_in_activation(given, argument)
    if given.named is None and given.family in ACTIVATIONS:
        raise ValueError(f"{argument} must not be called {given.family!r}, as a built-in one is")
    return given


def checked_loss(given: str | Loss, output: Activation) -> Loss:
    """The loss of this name, or one of the caller's own, if it serves the output."""
    if isinstance(given, Loss):
        loss = given
        if loss.named is None and loss.family in LOSSES:
            raise ValueError(f"loss must not be called {loss.family!r}, as a built-in one is")
    elif callable(given):
        raise TypeError(f"loss must be a name or a fastgd.Loss; got {shown(given)}")
    else:
        loss = built_in_loss(given)
    if loss.output is not None and loss.output != output:
        raise ValueError(
            f"loss {loss.name!r} needs output {loss.output.name!r}; got output {output.name!r}"
        )
    return loss


def texts_of_own(functions: Sequence[Activation | Loss]) -> tuple[str, ...]:
    """The texts of functions that are not built in; ValueError where two have one name, or are
    called the same in compiled text.
    """
    called: dict[str, Activation | Loss] = {}
    for each in functions:
        name = f"{each.symbol}_loss" if isinstance(each, Loss) else each.symbol
        other = called.setdefault(name, each)
        if other != each:
            both = f"{other.name!r} and {each.name!r}"
            told = f"two {each.name!r}" if other.name == each.name else both
            raise ValueError(f"{each.what}s must have names of their own; got {told}")
    return tuple(each.text for each in called.values() if each.named is None)
