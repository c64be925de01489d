"""`fastgd show`, `warmup` and `cache`."""

import ast
import io
import os
import sys

import numpy as np
import pytest

import fastgd
from fastgd.cli.main import main
from fastgd.machine import cache, cache_folder, kernel_file, ready_made


@pytest.fixture(autouse=True)
def nothing_ready_made(monkeypatch):
    """As in an editable installation, however this one was installed."""
    monkeypatch.setattr(ready_made, "FOLDER", "nothing")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder of its own."""
    place = tmp_path / "cache"
    place.mkdir(mode=0o700)
    monkeypatch.setenv("FASTGD_CACHE_DIR", str(place))
    return place


def test_show_prints_the_module_that_trains(capsys):
    assert main(["show", "--layers", "2-2-1", "--rows", "3", "--method", "layerwise"]) == 0
    printed = capsys.readouterr().out
    net = fastgd.MLP(2, 2, 1)
    assert printed == net.source(3, method="layerwise")
    assigned = {node.id for node in ast.walk(ast.parse(printed)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert {"w1_0_1", "b2_0", "z1_1", "a2_0", "delta2_0", "dw1_1_0"} <= assigned
    assert "known1_0 = w2_0_0 * 2.0 * sigmoid_derivative(z1_0, a1_0)" in printed


def test_show_follows_its_flags(capsys):
    flags = ["--activation", "tanh", "--output", "softmax", "--loss", "cross_entropy", "--no-bias", "--rows", "10", "--batch-size", "3"]
    assert main(["show", "--layers", "2-3", *flags]) == 0
    printed = capsys.readouterr().out
    assert "exponentials" in printed
    assert "b1_0" not in printed
    assert "rows = min(data.batch, data.n - start)" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "--layers", "90-90"], ["unrolled", "MLP(90, 90"]),
        (["show", "--layers", "2-1", "--method", "newton"], ["newton", "backprop"]),
        (["show", "--layers", "2-1", "--rows", "0"], ["n must", "0"]),
        (["show", "--layers", "2-1", "--rows", "4", "--batch-size", "5"], ["batch_size", "5"]),
        (["warmup", "--layers", "2"], ["widths"]),
        (["warmup"], ["--layers"]),
    ],
)
def test_bad_input_is_one_line(arguments, words, capsys):
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert all(word in printed.err for word in words)


def test_cache_lists_what_is_there(folder, capsys):
    kernel_file.write(folder / f"unrolled_train_{'0' * 20}.kernel", {"title": "MLP(7, 1)"}, bytes(9_900))
    (folder / f"matrix_train_{'1' * 20}.kernel").write_bytes(b"cut")
    (folder / "mine.py").write_text("print('mine')")
    assert main(["cache"]) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert str(folder) in first
    assert "2 kernels, 0.0 MB" in first
    assert second.split() == [f"matrix_train_{'1' * 20}", "0", "kB", "damaged"]
    assert third.split() == [f"unrolled_train_{'0' * 20}", "10", "kB", "MLP(7,", "1)"]


def test_clearing_the_cache_leaves_other_files(folder, capsys):
    (folder / f"matrix_train_{'a' * 20}.kernel").write_bytes(b"")
    (folder / "mine.py").write_text("print('mine')")
    assert main(["cache", "--clear"]) == 0
    assert "1 file" in capsys.readouterr().out
    assert [path.name for path in folder.iterdir()] == ["mine.py"]


def test_no_folder_is_an_empty_cache(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FASTGD_CACHE_DIR", str(tmp_path / "none"))
    assert main(["cache"]) == 0
    assert "0 kernels" in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0


def test_a_kernel_that_is_deleted_while_it_is_listed(folder, capsys, monkeypatch):
    file = folder / f"lanes_train_{'3' * 20}.kernel"
    file.write_bytes(b"")
    monkeypatch.setattr(kernel_file, "read", lambda content: file.unlink())
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == f"{folder}: 0 kernels, 0.0 MB\n"


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("name", ["\u732b", "caf\udce9"], ids=["a cat", "no text"])
def test_a_folder_that_the_terminal_cannot_show(name, encoding, tmp_path, monkeypatch):
    """Its letters are written by their numbers."""
    place = tmp_path / name
    place.mkdir(mode=0o700)
    monkeypatch.setenv("FASTGD_CACHE_DIR", str(place))
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert main(["cache"]) == 0
    assert main(["cache", "--clear"]) == 0
    first, second = sys.stdout.buffer.getvalue().decode(encoding).splitlines()
    shown = name if (name, encoding) == ("\u732b", "utf-8") else name.encode("ascii", "backslashreplace").decode()
    assert first == f"{tmp_path}/{shown}: 0 kernels, 0.0 MB"
    assert second == f"deleted 0 files from {tmp_path}/{shown}"


def test_a_cache_folder_that_is_not_absolute(capsys, monkeypatch):
    monkeypatch.setenv("FASTGD_CACHE_DIR", "cache")
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == "no cache folder: 0 kernels, 0.0 MB\n  nothing can be kept there: 'cache' is no absolute path\n"


def test_a_kernel_that_is_no_file(folder, capsys):
    """A folder of its name is listed as damaged."""
    (folder / f"lanes_train_{'2' * 20}.kernel").mkdir()
    assert main(["cache"]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("damaged")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.filterwarnings("default")
def test_a_cache_that_is_not_used(folder, capsys, monkeypatch):
    """Said by `cache`, and by the first command that compiles."""
    cache.entry.cache_clear()
    monkeypatch.setattr(cache, "_has_warned", False)
    monkeypatch.setattr("fastgd.kernels.serving", lambda net, method: ["unrolled"])
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == f"{folder}: 0 kernels, 0.0 MB\n"
    folder.chmod(0o777)
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == f"{folder}: 0 kernels, 0.0 MB\n  nothing can be kept there: others may write to it\n"
    assert main(["warmup", "--layers", "1-1", "--rows", "5"]) == 0
    err = capsys.readouterr().err
    assert err.startswith(f"fastgd: warning: compiled code can't be kept in {folder}: others may write to it; ")
    assert err.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_warmup_fills_the_cache(folder, capsys, monkeypatch):
    cache.entry.cache_clear()  # what an earlier test has loaded would not be written again
    monkeypatch.setattr("fastgd.kernels.serving", lambda net, method: ["unrolled"])
    assert main(["warmup", "--layers", "1-1", "--rows", "2"]) == 0
    assert capsys.readouterr().out.startswith("unrolled ")
    ((name, size, _),) = cache_folder.entries()
    assert size > 1000
    run = fastgd.train(fastgd.MLP(1, 1), [0.0, 1.0], [1.0, 0.0], 5, rng=0, kernel="unrolled")
    assert [entry[0] for entry in cache_folder.entries()] == [name]  # what was warmed up is what trains
    assert np.isfinite(run.cost)
