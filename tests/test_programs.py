"""Programs of scripts/ and bench/ say what they are for where they are asked: no --help begins hours of work."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def is_program(tree):
    """Whether a file does something where it is run, beside what it defines."""
    quiet = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    return not all(isinstance(each, quiet) or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)) for each in tree.body)


PROGRAMS = {
    path: tree
    for folder in ("scripts", "bench")
    for path in sorted((ROOT / folder).glob("*.py"))
    if not path.name.startswith("test_") and is_program(tree := ast.parse(path.read_text(encoding="utf-8")))
}


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_program_reads_its_arguments(path):
    calls = [node.func for node in ast.walk(PROGRAMS[path]) if isinstance(node, ast.Call)]
    called = {getattr(each, "id", getattr(each, "attr", None)) for each in calls}
    assert {"ArgumentParser", "parse_args"} <= called


@pytest.mark.parametrize("path", ["scripts/xor.py", "scripts/one_epoch.py", "bench/compare.py"])
def test_help_is_printed_and_nothing_done(path):
    finished = subprocess.run([sys.executable, ROOT / path, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert (finished.returncode, finished.stderr) == (0, "")
    words = " ".join(finished.stdout.split())
    assert words.startswith(f"usage: {Path(path).name}")
    assert " ".join(ast.get_docstring(PROGRAMS[ROOT / path]).split("\n")[0].split())[:40] in words
