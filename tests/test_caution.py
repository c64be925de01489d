"""Warnings that name the caller's line, and that end nothing."""

import warnings

import pytest

from fastgd.system.warn import warn

PROGRAM = """
import sys
import warnings

from fastgd.system.warn import warn

def fail(*arguments, **keywords):
    raise LookupError("no such window")

warnings.simplefilter("always")
stderr = sys.stderr
{}
warn("a warning")
sys.stderr = stderr
print("goes on")
"""


@pytest.mark.parametrize(
    "trouble",
    ["sys.stderr.close()", "sys.stderr = None", "del sys.stderr", "sys.stderr = object()", "warnings.showwarning = fail"],
)
def test_a_warning_that_cannot_be_shown(trouble, python):
    assert python(PROGRAM.format(trouble)) == "goes on\n"


def test_an_error_where_warnings_are_errors(python):
    program = "from fastgd.system.warn import warn\ntry:\n    warn('a warning')\nexcept RuntimeWarning as warning:\n    print(warning)"
    assert python(program) == "a warning\n"


@pytest.mark.parametrize("name", ["somebody", "fastgd_extras", 1])
def test_the_line_of_the_caller(name):
    """Whatever the module calls itself."""
    code = compile("\n\nwarn('a warning')", "the caller's file", "exec")
    with pytest.warns(RuntimeWarning, match="a warning") as warned:
        exec(code, {"warn": warn, "__name__": name})
    (warning,) = warned
    assert (warning.filename, warning.lineno) == ("the caller's file", 3)


def test_a_caller_without_a_name():
    """Python shows it no warnings."""
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        exec("warn('a warning')", {"warn": warn, "__name__": None})
    assert shown == []
