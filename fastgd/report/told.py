"""What there is to tell of a finished run: who reports need not know where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from fastgd.arguments.checks import Array
from fastgd.data.labels import names_of_outputs
from fastgd.network import Network
from fastgd.state import BEST, State
from fastgd.svg import Curve, Mark
from fastgd.svg.chosen import evenly

_MOST_MEMBERS = 100  # whose costs on the way are looked at


class ToldHistory(Protocol):
    """Costs on the way."""

    @property
    def epoch(self) -> Array: ...
    @property
    def cost(self) -> Array: ...
    @property
    def validation(self) -> Array | None: ...


class Told(Protocol):
    """A run, by the attributes that `training.run.Run` describes."""

    @property
    def net(self) -> Network: ...
    @property
    def params(self) -> Array: ...
    @property
    def cost(self) -> float: ...
    @property
    def epochs(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def kernel(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def stopped_by(self) -> str: ...
    @property
    def history(self) -> ToldHistory: ...
    @property
    def options(self) -> dict[str, Any]: ...
    @property
    def stalled(self) -> bool: ...
    @property
    def table(self) -> dict[str, Any] | None: ...
    @property
    def state(self) -> State | None: ...
    @property
    def best_epoch(self) -> int: ...
    @property
    def best_cost(self) -> float: ...
    def predict(self, X: Array, /) -> Array: ...


class ToldMembers(Protocol):
    """Runs of many members, as `ensemble.runs.Runs` describes them."""

    @property
    def net(self) -> Network: ...
    @property
    def cost(self) -> Array: ...
    @property
    def epochs(self) -> Array: ...
    @property
    def stopped_by(self) -> Array: ...
    @property
    def seconds(self) -> float: ...
    @property
    def kernel(self) -> str: ...
    @property
    def best(self) -> Told: ...
    def __len__(self) -> int: ...
    def __getitem__(self, member: int, /) -> Told: ...


def is_watched(run: Told) -> bool:
    """Whether the least cost, and when it was, have been kept."""
    return run.state is not None and run.state.is_watched


def validation_cost(run: Told) -> float | None:
    """The cost of the validation rows, if there are any, for the run's parameters: the latest, or
    the best.
    """
    if run.history.validation is None or run.state is None:
        return None
    restored = run.options["restore_best"] and is_watched(run)
    return float(run.state.sums[BEST] if restored else run.history.validation[-1])


def curves_of(run: Told, of: str = "") -> list[Curve]:
    """Its cost, and that of its validation rows, if there are any; `of` begins their titles."""
    history = run.history
    curves = [Curve(f"{of}training", history.epoch, history.cost)]
    if history.validation is not None:
        curves.append(Curve(f"{of}validation", history.epoch, history.validation))
    return curves


def member_curves(runs: ToldMembers) -> list[Curve]:
    """The costs on the way of members, of a hundred at most, as far as they were recorded."""
    return [curves_of(runs[int(i)])[0] for i in evenly(len(runs), _MOST_MEMBERS)]


def mark_of(run: Told) -> Mark | None:
    """Its least cost, where that was watched."""
    if not is_watched(run):
        return None
    what = "" if run.history.validation is None else "validation "
    return Mark(f"least {what}cost", run.best_epoch, run.best_cost)


def names_of(
    net: Network, table: Mapping[str, Any] | None
) -> tuple[Sequence[object] | None, Sequence[object] | None]:
    """What is known of the names of the network's inputs and outputs."""
    if table is None:
        return None, None
    outputs = names_of_outputs(table["targets"], table["classes"], net.widths[-1])
    inputs = table["inputs"]
    fits = len(inputs) == net.widths[0], len(outputs) == net.widths[-1]
    return (inputs if fits[0] else None), (outputs if fits[1] else None)
