"""Many rows: how much memory they take, and rows on disk, which are never all in memory."""

import tracemalloc

import numpy as np
import pytest
from conftest import random_problem
from row_order import order_of

import fastgd
from fastgd.kernels.shelf import shelf

NET = fastgd.MLP(20, 8, 1, activation="tanh", dtype="float32")
MIB = 2**20


@pytest.fixture(scope="module")
def table():
    """X, (50_000, 20) float32, 4 MB, and Y."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50_000, 20)).astype(np.float32)
    return X, np.tanh(X[:, :1])


@pytest.fixture
def mapped(table, tmp_path):
    """The same X as a file."""
    np.save(tmp_path / "X.npy", table[0])
    return np.load(tmp_path / "X.npy", mmap_mode="r")


def peak_of(*arguments, **options):
    """Bytes that train() takes at most, where no memory is kept of calls before; compiled code takes none."""
    fastgd.train(*arguments, epochs=0, rng=0, **options)
    shelf.clear()
    tracemalloc.start()
    try:
        fastgd.train(*arguments, epochs=1, rng=0, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("options", "most"), [({"batch_size": 1000}, 8_000_000 + 3 * MIB), ({}, 3 * MIB), ({"batch_size": 1000, "shuffle": False}, 3 * MIB)]
)
def test_a_million_rows_take_eight_bytes_each_where_they_are_shuffled(options, most):
    X = np.random.default_rng(0).normal(size=(1_000_000, 20)).astype(np.float32)
    Y = X[:, :1].copy()
    assert peak_of(NET, X, Y, kernel="matrix", **options) < most
    if not options:  # of another dtype, they are copied once
        assert peak_of(NET, X.astype(np.float64), Y, kernel="matrix") < X.nbytes + 3 * MIB


def test_rows_that_are_copies_are_divided_in_their_place(table):
    """With a share for validation, drawn by a mask of a byte a row; what the caller has is left as it is."""
    X, Y = (array.astype(np.float64) for array in table)
    rows = X.copy()
    share = {"validation": 0.1, "kernel": "matrix", "batch_size": 1000, "shuffle": False}
    assert peak_of(NET, X, Y, **share) < 1.2 * table[0].nbytes + 2 * MIB
    of_copies = fastgd.train(NET, X, Y, 2, rng=0, **share)
    assert of_copies == fastgd.train(NET, *table, 2, rng=0, **share)
    assert of_copies == fastgd.train(NET, X.tolist(), Y, 2, rng=0, **share)
    assert np.array_equal(X, rows)


def test_the_unrolled_kernel_keeps_one_copy_of_a_full_batch(table):
    X, Y = table
    net = fastgd.MLP(20, 1, dtype="float32")
    assert X.nbytes < peak_of(net, X, Y, kernel="unrolled") < X.nbytes + Y.nbytes + 2 * MIB


# -- rows on disk ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 700])
def test_a_file_trains_as_an_array(table, mapped, batch_size):
    """Where the order is the same; kernel auto must not put all rows into memory."""
    X, Y = table
    options = {"batch_size": batch_size, "shuffle": False, "epochs": 2, "rng": 0}
    run = fastgd.train(NET, mapped, Y, **options)
    assert run.kernel == "matrix" or batch_size is not None
    assert run == fastgd.train(NET, X, Y, kernel=run.kernel, **options)


def test_a_file_is_not_read_into_memory(mapped):
    Y = np.asarray(mapped[:, :1])
    assert peak_of(NET, mapped, Y, kernel="matrix") < 3 * MIB < mapped.nbytes
    assert peak_of(NET, mapped, Y, kernel="matrix", batch_size=100) < 8 * len(Y) + 3 * MIB < mapped.nbytes


def test_a_shuffled_file_is_learnt(table, mapped):
    X, Y = table
    of_file, of_array = (fastgd.train(NET, rows, Y, 3, 0.1, rng=0, batch_size=50, kernel="matrix") for rows in (mapped, X))
    assert of_file.cost == pytest.approx(of_array.cost, rel=0.1)
    assert of_file.cost < of_file.history.cost[0] / 10
    assert not np.array_equal(of_file.params, of_array.params)


@pytest.mark.parametrize(("n", "span", "window"), [(1000, 10, 50), (1003, 10, 50), (7, 10, 50), (1000, 1, 1), (1000, 1000, 1000)])
def test_order_of_blocks(n, span, window):
    """Every row once; those of a window come from as few blocks as can be, which are not the same neighbours every epoch."""
    orders = [order_of(n, 3, epoch, span, window) for epoch in range(3)]
    for order in orders:
        assert np.array_equal(np.sort(order), np.arange(n))
        for start in range(0, n, window):
            assert len(set(order[start : start + window] // span)) <= window // span + (n % span > 0)
    if n > span:
        first = [set(order[:window] // span) for order in orders]
        assert first[0] != first[1] != first[2]
    if window > 1:
        assert not np.array_equal(orders[0], np.sort(orders[0]))


# -- refused ---------------------------------------------------------------------------------------------


def test_a_number_in_a_file_that_is_not_finite(tmp_path, no_compiled_code):
    file = np.lib.format.open_memmap(tmp_path / "X.npy", mode="w+", dtype=np.float32, shape=(200_000, 20))
    file[123_456, 7] = np.nan
    with pytest.raises(ValueError, match="X must be finite in float32; got nan at index 123456, 7"):
        fastgd.train(NET, file, np.zeros(200_000), 1)


def test_a_share_of_a_file(table, mapped, no_compiled_code):
    with pytest.raises(ValueError, match=r"validation must be \(X, Y\) where X is a memmap.*got 0.2"):
        fastgd.train(NET, mapped, table[1], 1, validation=0.2)


def test_a_checkpoint_of_a_file_is_not_one_of_an_array(table, mapped, path):
    """They are shuffled in different ways."""
    X, Y = table
    options = {"batch_size": 1000, "rng": 0, "checkpoint": path, "kernel": "matrix"}
    run = fastgd.train(NET, mapped, Y, 1, **options)
    with pytest.raises(ValueError, match="made with other data"):
        fastgd.train(NET, X, Y, 2, resume=True, **options)
    assert fastgd.train(NET, mapped, Y, 2, resume=True, **options).history.cost[0] == run.history.cost[0]


def test_wide_rows_that_are_larger_than_a_block_on_disk(tmp_path):
    net = fastgd.MLP(70_000, 1, dtype="float32", activation="identity")
    X, Y, params = random_problem(net, 6)
    np.save(tmp_path / "X.npy", X.astype(np.float32))
    run = fastgd.train(net, np.load(tmp_path / "X.npy", mmap_mode="r"), Y, 1, 1e-6, params=params, batch_size=2, kernel="matrix")
    assert np.isfinite(run.cost)
