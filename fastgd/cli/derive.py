"""`fastgd derive`: the notes' derivation for one network."""

from __future__ import annotations

import argparse
import os
from typing import Any

from fastgd.cli.options import (
    add_command,
    add_layers_flag,
    add_network_flags,
    check_writable,
    names,
    network,
)
from fastgd.cli.standard_output import utf8_output
from fastgd.system.files import as_text, replace_file

# what is written, by the end of a file's name
_KINDS = {".tex": "latex", ".md": "markdown", ".py": "python", ".c": "c"}
_EXAMPLES = """\
examples:
  fastgd derive --layers 2-2-1 --out xor.tex && pdflatex xor.tex
  fastgd derive --layers 1-1-1 --to markdown
  fastgd derive --layers 3-5-2 --output softmax --out network.py
  fastgd derive --layers 2-2-1 --to sympy > steps.py && python steps.py

Each line has a number, and the equation of the notes of which it is a case. latex needs article
and amsmath; of more than 500 parameters, it and markdown have the matrix form of notes 004.
python and c define cost and gradient, whose lines have the same numbers. sympy is Python that
builds each step as an expression of the package sympy, and fails where one is not what stands
before it.
"""


def add(commands: Any) -> None:
    """The subcommand and its flags."""
    parser = add_command(
        commands, "derive", "derive the gradient of a network, as the notes do", _EXAMPLES
    )
    add_layers_flag(parser, "2-2-1")
    loss = "cross_entropy for a softmax output, else squared_error"
    add_network_flags(parser, activation="sigmoid", output="as --activation", loss=loss)
    kinds = [*_KINDS.values(), "sympy"]
    parser.add_argument(
        "--to", choices=kinds, help="what to write (default: by the end of FILE, else latex)"
    )
    parser.add_argument("--out", metavar="FILE", help="the file to write (default: print it)")
    parser.set_defaults(command=derive)


def derive(options: argparse.Namespace) -> None:
    """Write the derivation."""
    if options.out is not None:
        check_writable("--out", options.out)
    softmax = "softmax" in (options.output, *names(options.activation or "")[-1:])
    loss = "cross_entropy" if softmax else "squared_error"
    net = network(options, options.layers, "sigmoid", None, loss)
    end = os.path.splitext(options.out or "")[1].lower()
    text = net.derivation(options.to or _KINDS.get(end, "latex"))
    if options.out is None:
        with utf8_output() as out:
            print(text, end="", file=out)
    else:
        replace_file(options.out, as_text(lambda file: file.write(text)))
