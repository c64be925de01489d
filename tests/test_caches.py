"""The size of the second cache, as a machine reports it; and that no bit of a training depends on it."""

import subprocess
import sys

import numpy as np
import pytest

import fastgd
from fastgd.kernels import scratch
from fastgd.system import caches


@pytest.fixture(autouse=True)
def asked_anew():
    caches.second_cache.cache_clear()
    yield
    caches.second_cache.cache_clear()


@pytest.fixture
def silent(monkeypatch, tmp_path):
    """A machine that reports nothing; its folder of caches."""
    monkeypatch.setattr(caches, "_FOLDER", tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def write_down(folder, *reported):
    for i, (level, kind, size) in enumerate(reported):
        (folder / f"index{i}").mkdir()
        for name, text in [("level", level), ("type", kind), ("size", size)]:
            (folder / f"index{i}" / name).write_text(f"{text}\n")


@pytest.mark.parametrize(("size", "expected"), [("1024K", 2**20), ("2M", 2**21), ("262144", 2**18)])
def test_files_of_linux(size, expected, silent):
    write_down(silent, (1, "Data", "48K"), (1, "Instruction", "32K"), (2, "Unified", size), (3, "Unified", "32M"))
    assert caches.second_cache() == expected


@pytest.mark.parametrize("reported", [[], [(1, "Data", "48K")], [(2, "Unified", "")], [(2, "Unified", "much")], [(2, "Unified", "0K")]])
def test_nothing_that_makes_sense_is_reported(reported, silent):
    write_down(silent, *reported)
    assert caches.second_cache() == caches.SECOND


@pytest.mark.parametrize(("printed", "expected"), [("4194304\n", 2**22), ("", caches.SECOND)])
def test_macos(printed, expected, silent, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, stdout=printed))
    assert caches.second_cache() == expected


def test_what_this_machine_reports():
    assert 2**16 <= caches.second_cache() <= 2**28


@pytest.mark.parametrize("batch", [None, 128])
def test_bits_do_not_depend_on_it(batch, monkeypatch):
    """Widths that alias: blocks of few rows, of more, and of all at once."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(256, 150)), rng.uniform(size=(256, 10))
    found = set()
    for size in (2**10, 2**18, 2**26):
        monkeypatch.setattr(scratch, "second_cache", lambda size=size: size)
        run = fastgd.train(fastgd.MLP(150, 1024, 10, dtype="float32"), X, Y, 2, 0.1, rng=0, batch_size=batch, kernel="matrix")
        found.add(run.params.tobytes())
    assert len(found) == 1
