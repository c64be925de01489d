"""What `fastgd train` and `fastgd sweep` learn, made of their flags: a gate, or the rows of a file;
and what a run says about it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastgd.cli.score import score_lines
from fastgd.report.told import validation_cost

if TYPE_CHECKING:
    from fastgd.arguments.checks import Array
    from fastgd.data.columns import Columns
    from fastgd.data.table import Table
    from fastgd.mlp import MLP
    from fastgd.training.run import Run

GATE_EPOCHS, FILE_EPOCHS = 1_000_000, 1_000


@dataclass(frozen=True, kw_only=True)
class Problem(ABC):
    """A network with its data, and how it is trained where flags do not say."""

    net: MLP
    X: Array
    Y: Array
    epochs: int
    scheme: str  # of initial parameters
    title: str  # what the data is
    validation: float | tuple[Array, Array] | None
    validated_on: str  # which rows those are
    weights: Array | None = None  # of the samples
    table: Table | None = None  # what columns mean

    @property
    @abstractmethod
    def names(self) -> tuple[list[str], list[str]]:
        """Of the inputs and of the outputs of the network."""

    @abstractmethod
    def lines(self, run: Run) -> list[tuple[str, str]]:
        """What the run has learned, in words."""

    @abstractmethod
    def data(self) -> dict[str, Any]:
        """What the data is, for JSON."""

    @abstractmethod
    def facts(self, run: Run) -> dict[str, Any]:
        """What the run has learned, for JSON."""


@dataclass(frozen=True, kw_only=True)
class GateProblem(Problem):
    """A gate: its four rows, whose outputs are shown one by one."""

    gate: str

    @property
    def names(self) -> tuple[list[str], list[str]]:
        return ["x1", "x2"], [self.gate]

    def lines(self, run: Run) -> list[tuple[str, str]]:
        rows = zip(self.X, self.Y[:, 0], self._outputs(run), strict=True)
        return [(f"{x[0]:g} {x[1]:g}", f"{output:.4f} (target {y:g})") for x, y, output in rows]

    def data(self) -> dict[str, Any]:
        return {"gate": self.gate, "rows": len(self.X)}

    def facts(self, run: Run) -> dict[str, Any]:
        facts: dict[str, Any] = {"outputs": self._outputs(run)}
        if isinstance(self.validation, float):
            facts["validation"] = {
                "rows": round(self.validation * len(self.X)),
                "cost": validation_cost(run),
            }
        return facts

    def _outputs(self, run: Run) -> list[float]:
        outputs: list[float] = run.predict(self.X)[:, 0].tolist()
        return outputs


@dataclass(frozen=True, kw_only=True)
class FileProblem(Problem):
    """The rows of a file: what is shown is how well its targets are predicted."""

    table: Table
    targets: Columns  # of all rows
    trained: Array  # the numbers of the rows that are trained on
    held_out: tuple[Array, Columns] | None  # inputs and targets of the rows for validation
    constant: list[str]  # columns that are, up to rounding

    @property
    def names(self) -> tuple[list[str], list[str]]:
        from fastgd.data.labels import names_of_outputs

        table = self.table
        return list(table.inputs), names_of_outputs(table.targets, table.classes, table.outputs)

    def lines(self, run: Run) -> list[tuple[str, str]]:
        lines = (
            [("constant", f"{', '.join(self.constant)}, up to rounding")] if self.constant else []
        )
        parts = [(self._trained_rows(), "the rows it was trained on")]
        parts += [] if self.held_out is None else [(self.held_out, "the validation rows")]
        return lines + [
            (title, f"{text} on {which}")
            for rows, which in parts
            for title, text in score_lines(self._score(run, *rows))
        ]

    def data(self) -> dict[str, Any]:
        table, source = self.table, self.targets.source
        names = {
            "inputs": table.inputs,
            "targets": table.targets,
            "classes": table.classes,
            "constant": self.constant,
        }
        return {"file": source, "rows": len(self.X), **names}

    def facts(self, run: Run) -> dict[str, Any]:
        facts = {"score": self._score(run, *self._trained_rows())}
        if self.held_out is not None:
            score = self._score(run, *self.held_out)
            facts["validation"] = {
                "file": self.held_out[1].source,
                "cost": validation_cost(run),
                **score,
            }
        return facts

    def _trained_rows(self) -> tuple[Array, Columns]:
        everything = len(self.trained) == len(self.X)
        return (
            (self.X, self.targets)
            if everything
            else (self.X[self.trained], self.targets.take(self.trained))
        )

    def _score(self, run: Run, X: Array, targets: Columns) -> dict[str, Any]:
        return self.table.score(targets, run.predict(X))
