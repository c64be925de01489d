"""Networks whose derivations are tested, and how LaTeX sets one."""

import shutil
import subprocess

import pytest

import fastgd
from fastgd.numeric import exp, where

SHAPES = [
    fastgd.MLP(2, 2, 1),
    fastgd.MLP(2, 1),
    fastgd.MLP(1, 1, activation="identity", bias=False),
    fastgd.MLP(1, 1, 1, 1, activation=["tanh", "relu", "sigmoid"]),
    fastgd.MLP(1, 1, 1, 1, 1, bias=False),
    fastgd.MLP(2, 8, 1, activation="tanh", output="identity"),
    fastgd.MLP(3, 5, 4, 2, activation="sigmoid", output="softmax", loss="cross_entropy"),
    fastgd.MLP(2, 3, 4, activation="relu", output="softmax", loss="cross_entropy(0.1)", bias=False),
    fastgd.MLP(2, 3, 2, activation="tanh", output="softmax"),
    fastgd.MLP(2, 3, 4, activation="tanh", output="identity", loss="gaussian_nll"),
    fastgd.MLP(12, 2, 1, activation="softplus(2)", output="sigmoid", loss="binary_cross_entropy(0.2)"),
]


def own_network():
    """Functions of one's own, one of them linear: its derivatives need no argument."""
    bent = fastgd.Activation(lambda z: where(z < 0, exp(z) - 1, 3 * z), name="bent")
    twice = fastgd.Activation(lambda z: 2 * z, name="twice")
    return fastgd.MLP(2, 2, 1, activation=[bent, twice], loss=fastgd.Loss(lambda a, y: a - y, name="above"))


def ids(net):
    return "-".join(map(str, net.widths)) + "-" + net.loss


PDFLATEX = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")


def compiles(text, folder):
    """As a document without a line that is wider than the page."""
    (folder / "derivation.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "derivation.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in (folder / "derivation.log").read_text(errors="replace")
    assert (folder / "derivation.pdf").stat().st_size > 10_000
