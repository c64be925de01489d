"""The grid: its works come to what they must, and what was measured of them is told."""

import grid
import pytest
from competitors import competitor


def _small():
    return [case for case in grid.cases() if case.net.n_params < grid.WIDE and case.net.dtype == "float32"]


@pytest.mark.parametrize("case", _small(), ids=str)
def test_work(case):
    with competitor("fastgd matrix", case) as ours:  # which checks it
        assert ours.train(1, case.shuffled).seconds > 0


def test_works_are_of_whole_batches_for_jax():
    assert all(case.n % case.batch == 0 for case in grid.cases())


def test_summary():
    def work(name, batch, **ratios):
        return {"work": name, "batch": batch, "ratios": ratios}

    works = [work("a", 1, JAX=0.5, PyTorch=0.01), work("b", 1, JAX=2.0, PyTorch=0.02), work("c", None, JAX=0.25)]
    assert list(grid.summary(works)) == [
        "of JAX's time: 0.50 in the median of 3 works (batch 1 1.25, all rows 0.25); behind in 1",
        "    2.00  b",
        "of PyTorch's time: 1/67 in the median of 2 works (batch 1 1/67); behind in 0",
    ]
