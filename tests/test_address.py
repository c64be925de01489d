"""The address of an array is what NumPy says, wherever it is read."""

import numpy as np
import pytest

from fastgd.system import address

NUMBERS = np.arange(24.0)
ARRAYS = {
    "whole": NUMBERS,
    "part": NUMBERS[3:],
    "backwards": NUMBERS[::-1],
    "columns": NUMBERS.reshape(4, 6)[:, 2:],
    "nothing": NUMBERS[:0].reshape(0, 3),
    "one": np.array(1.0),
    "read-only": np.frombuffer(NUMBERS.tobytes(), np.float32),
    "a subclass": NUMBERS.view(np.recarray),
}


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("name", ARRAYS)
def test_an_address_is_what_numpy_says(name, is_known, monkeypatch):
    if not is_known:
        monkeypatch.setattr(address, "stands_in_arrays", lambda: False)
    assert address.address_of(ARRAYS[name]) == ARRAYS[name].ctypes.data


def test_another_layout_is_noticed(monkeypatch):
    """Another place in an array, where something else stands."""
    assert address.stands_in_arrays()
    monkeypatch.setattr(address, "_PLACE", address._PLACE + 16)
    assert not address.stands_in_arrays.__wrapped__()
