"""`fastgd export`: a saved run as C, ONNX, PyTorch, JSON or CSV."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from fastgd.cli.options import add_command, check_writable, number
from fastgd.names import DTYPES
from fastgd.system.files import replace_file

if TYPE_CHECKING:
    from fastgd.training.run import Run

# what is written, by the end of a file's name
_KINDS = {
    ".h": "c", ".c": "c", ".onnx": "onnx", ".pt": "torch", ".json": "json", ".csv": "csv"
}  # fmt: skip
_OF_C = ("name", "dtype", "gradient", "train", "fixed_point", "input_range")
_EXAMPLES = """\
examples:
  fastgd export flowers.npz --out flowers.h
  fastgd export flowers.npz --out flowers.h --name flowers --dtype float32 --gradient
  fastgd export flowers.npz --to onnx --out flowers.onnx

c is one header of C99; a file that ends in .c is linked with. onnx needs the package onnx, torch
PyTorch, whose torch.load(FILE, weights_only=False) reads the module. json is all of the run, which
fastgd.load_run and the commands read back; csv the parameters alone. A run that was trained from a
table takes the table's columns as they are, and gives values in their own units, or classes.
"""


def add(commands: Any) -> None:
    """The subcommand and its flags."""
    parser = add_command(
        commands, "export", "write a saved run as C, ONNX, PyTorch, JSON or CSV", _EXAMPLES
    )
    parser.add_argument("run", help="a file that `fastgd train --out` or Run.save wrote")
    parser.add_argument("--out", metavar="FILE", required=True, help="the file to write")
    kinds = sorted(set(_KINDS.values()))
    parser.add_argument("--to", choices=kinds, help="what to write (default: by the end of FILE)")
    parser.add_argument("--name", help="of the function in C (default: network)")
    parser.add_argument(
        "--dtype",
        choices=DTYPES,
        help="of C and ONNX (default: the run's own in C, float32 in ONNX)",
    )
    parser.add_argument(
        "--gradient", action="store_true", help="add the input Jacobian to C (default: without)"
    )
    parser.add_argument(
        "--train",
        action="store_true",
        help="add a step of gradient descent to C (default: without)",
    )
    parser.add_argument(
        "--fixed-point",
        choices=["q15", "q31"],
        help="C of whole numbers of 16 or 32 bits (default: of floats)",
    )
    parser.add_argument(
        "--input-range",
        type=number,
        metavar="R",
        help="inputs of whole numbers are between -R and R, as the network sees them (default: 4)",
    )
    parser.set_defaults(command=export)


def export(options: argparse.Namespace) -> None:
    """Write the file."""
    from fastgd.training.run import load_run

    check_writable("--out", options.out, options.run)
    end = os.path.splitext(options.out)[1].lower()
    to = options.to or _KINDS.get(end)
    if to is None:
        raise ValueError(
            f"--to must say what to write to {options.out}, one of "
            f"{', '.join(sorted(set(_KINDS.values())))}"
        )
    _check_flags(options, to)
    _write(load_run(options.run), to, options)


def _check_flags(options: argparse.Namespace, to: str) -> None:
    """ValueError for a flag that what is written does not know."""
    known = {"c": _OF_C, "onnx": ("dtype",)}.get(to, ())
    for flag in _OF_C:
        if flag not in known and getattr(options, flag) not in (None, False):
            raise ValueError(f"--{flag.replace('_', '-')} is not for {to}")


def _write(run: Run, to: str, options: argparse.Namespace) -> None:
    if to == "c":
        how = {flag: getattr(options, flag) for flag in _OF_C if flag != "name"}
        run.to_c(options.out, "network" if options.name is None else options.name, **how)
    elif to == "onnx":
        run.to_onnx(options.out, dtype=options.dtype or "float32")
    elif to == "torch":
        module = run.to_torch()
        import torch

        replace_file(options.out, lambda file: torch.save(module, file))
    elif to == "json":
        run.to_json(options.out)
    else:
        run.to_csv(options.out)
