"""Rows whose outputs a predictor has, by either of the ways that it is called."""

import numpy as np
import pytest

import fastgd
from fastgd.machine import quick_call

XOR = fastgd.MLP(2, 2, 1)
ROWS = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])


@pytest.fixture(params=["machine code", "Python"])
def way(request, monkeypatch):
    """How a predictor is called: through machine code that looks at arrays itself, or where that can't be."""
    if request.param == "Python":
        monkeypatch.setattr(quick_call, "_definition", lambda dtype: None)
    elif quick_call._definition("float64") is None:
        pytest.skip("arrays are not laid out as known")
    return request.param
