"""What a run is exported as: C, a model of ONNX, modules of PyTorch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from fastgd.arguments.checks import Array
from fastgd.training.archive import Saved, facts_and_arrays

if TYPE_CHECKING:
    from fastgd.export.exported import Exported


class Exports(Saved):
    """A run's ways out; each loads what it needs when it is called."""

    params: Array
    table: dict[str, Any] | None

    def to_c(
        self,
        path: str | os.PathLike[str] | None = None,
        name: str = "network",
        *,
        dtype: str | None = None,
        gradient: bool = False,
        train: bool = False,
        fixed_point: str | None = None,
        input_range: float | None = None,
    ) -> str:
        """The trained network as one header of C99, as `MLP.to_c` writes it.

        Of a run that was trained from a table its inputs are the table's columns as they are, and
        its outputs values in their own units; of classes their outputs, with `network_class(y)`,
        the number of the class that they say, and `network_label(number)`, how it is written.
        """
        from fastgd.export.c import to_c

        of = self._exported
        return to_c(of, path, name, dtype, gradient, train, fixed_point, input_range)

    def to_onnx(self, path: str | os.PathLike[str], *, dtype: str = "float32") -> None:
        """Write the trained network as a model of ONNX, from X (n, inputs) to Y (n, outputs), of
        float32 whatever the network's dtype, or of float64, which fewer runtimes know.

        Of a run that was trained from a table, X has the table's columns as they are, and Y values
        in their own units; of classes there are `label` (n,) and `probabilities` (n, classes)
        instead, or `scores` where outputs are no probabilities.

        Raises
        ------
        ImportError
            If onnx is not installed: pip install 'fastgd[onnx]'.
        OSError
            If the file can't be written.
        """
        from fastgd.export.onnx import to_onnx

        to_onnx(self._exported, path, dtype)

    def to_torch(self) -> Any:
        """The trained network as a torch.nn.Sequential of its dtype, to the last bit; of a run that
        was trained from a table, with modules that take the table's columns as they are, and give
        values in their own units.

        Raises
        ------
        ImportError
            If PyTorch is not installed: pip install 'fastgd[torch]'.
        """
        try:
            from fastgd.export.torch_modules import to_torch
        except ImportError:
            raise ImportError("to_torch needs PyTorch: pip install 'fastgd[torch]'") from None
        return to_torch(self._exported)

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write all of the run as JSON, which docs/lookup/json.md describes and `fastgd.load_run`
        reads back, equal to it.
        """
        from fastgd.export.exported import write_text
        from fastgd.training.json_file import written

        write_text(path, written(self.net, *facts_and_arrays(self)))

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters as CSV, one a row: layer, unit, input and value, where layers count
        from 1, units and inputs from 0, and a bias has no input.
        """
        from fastgd.export.csv import to_csv

        to_csv(self._exported, path)

    @property
    def _exported(self) -> Exported:
        from fastgd.export.exported import Exported

        return Exported.of(self.net, self.params, self.table)
