"""What is exported: a network, its parameters, and what a table's columns mean to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from fastgd.arguments.checks import Array
from fastgd.data.table import Table
from fastgd.network import Network
from fastgd.system.files import as_text, replace_file


@dataclass(frozen=True)
class Exported:
    """A network with finite parameters (n_params,), and the table that it was trained from, if it
    was.
    """

    net: Network
    params: Array
    table: Table | None = None

    @classmethod
    def of(
        cls, net: Network, params: ArrayLike, table: Mapping[str, Any] | None = None
    ) -> Exported:
        """Of a network and `Run.table`.

        Raises
        ------
        ValueError, TypeError
            If the parameters are not the network's, or not finite, or the table is of another one.
        """
        flat = net.check_params(params)
        described = None if table is None else Table.from_dict(dict(table))
        if described is not None:
            wide = len(described.inputs), described.outputs
            if wide != (net.widths[0], net.widths[-1]):
                raise ValueError(
                    f"table must be of {net.widths[0]} inputs and {net.widths[-1]} outputs for "
                    f"{net}; got {wide[0]} and {wide[1]}"
                )
        return cls(net, flat.copy(), described)

    @property
    def layers(self) -> list[tuple[Array, Array | None]]:
        """[(W, b), ...], W (outputs, inputs)."""
        return self.net.unpack(self.params)

    @property
    def input_scaling(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """Shift and scale of each input, where any of them changes it."""
        if self.table is None:
            return None
        return _changing(self.table.input_shift, self.table.input_scale)

    @property
    def target_scaling(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """Shift and scale of each target that is a value, where any of them changes it."""
        if self.table is None:
            return None
        return _changing(self.table.target_shift, self.table.target_scale)

    @property
    def classes(self) -> tuple[str | int, ...] | None:
        """The labels of its classes, where a table's target holds such."""
        return None if self.table is None else self.table.classes


def _changing(
    shift: tuple[float, ...], scale: tuple[float, ...]
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    changes = any(each != 0 for each in shift) or any(each != 1 for each in scale)
    return (shift, scale) if changes else None


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a file of text, whole or not at all."""
    replace_file(path, as_text(lambda file: file.write(text)))
