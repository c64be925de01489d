"""What can be imported here, and what the processor that is compiled for can do."""

import importlib

import pytest
from numba.core.registry import cpu_target


def compiles_for(feature):
    """Whether the processor that is compiled for has a feature, such as "fma": Numba's settings may name an older one than this."""
    return f"+{feature}" in cpu_target.target_context.codegen().magic_tuple()[2].split(",")


def imports(module):
    """Whether a module that need not be there can be imported; one that is there may not suit what is."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


NEEDS_PYARROW = pytest.mark.skipif(not imports("pyarrow.csv"), reason="pyarrow is not installed, or not for this NumPy")
