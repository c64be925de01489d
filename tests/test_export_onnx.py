"""Networks as models of ONNX, run by onnxruntime, beside predict."""

import sys

import numpy as np
import pytest
from conftest import assert_refused
from exported_networks import CLASSES, networks, table_of_classes, table_of_values

import fastgd


@pytest.fixture(autouse=True)
def _onnx():
    pytest.importorskip("onnx", reason="no onnx")
    pytest.importorskip("onnxruntime", reason="no onnxruntime")


def opened(path):
    import onnxruntime

    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def outputs(path, X):
    """The outputs of a model, by their names."""
    session = opened(path)
    kind = {"tensor(float)": "float32", "tensor(double)": "float64"}[session.get_inputs()[0].type]
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"X": np.asarray(X, kind)}), strict=True))


def run_of(net, params):
    return fastgd.train(net, np.zeros((1, net.widths[0])), np.full((1, net.widths[-1]), 1 / net.widths[-1]), 0, params=params)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_200_networks_as_predict(dtype, tmp_path):
    rng = np.random.default_rng(0)
    for net, params in networks(dtype):
        run_of(net, params).to_onnx(tmp_path / "net.onnx", dtype=dtype)
        X = rng.normal(size=(20, net.widths[0])).astype(dtype)
        expected = net.predict(params, X)
        ours = outputs(tmp_path / "net.onnx", X)["Y"]
        assert ours.shape == expected.shape
        assert ours.dtype == dtype
        bound = 1e-6 if dtype == "float32" or any(name == "gelu" for name in net.activations) else 1e-12
        assert np.max(np.abs(ours - expected)) <= bound * max(1, np.max(np.abs(expected))), net


def test_units_of_a_table(tmp_path, monkeypatch):
    """Columns as they are go in, values in their own units come out; floats stand a large shift."""
    monkeypatch.chdir(tmp_path)
    run, columns, table = table_of_values("float64")
    X = np.column_stack([columns.numbers(name) for name in table.inputs])
    for dtype, bound in [("float32", 1e-6), ("float64", 1e-13)]:
        run.to_onnx("net.onnx", dtype=dtype)
        rounded = X.astype(dtype).astype(float)
        expected = table.decode(run.predict((rounded - table.input_shift) / table.input_scale))
        np.testing.assert_allclose(outputs("net.onnx", X)["Y"], expected, rtol=bound)


@pytest.mark.parametrize("kind", CLASSES)
def test_labels_of_a_table(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, columns, table = table_of_classes(kind)
    run.to_onnx("net.onnx")
    X = np.column_stack([columns.numbers(name) for name in table.inputs])
    expected = run.predict(table.encode(columns))
    ours = outputs("net.onnx", X)
    assert ours["label"].tolist() == table.decode(expected)[:, 0].tolist()
    assert len(set(ours["label"])) > 1
    name, told = ("scores", expected) if kind == "scores" else ("probabilities", table.probabilities(expected))
    assert list(ours) == ["label", name]
    np.testing.assert_allclose(ours[name], told, atol=1e-6)


def test_model_says_what_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, _, _ = table_of_values("float64")
    run.to_onnx("net.onnx")
    session = opened("net.onnx")
    facts = session.get_modelmeta().custom_metadata_map
    assert facts == {"network": repr(run.net), "inputs": "a, b", "targets": "c"}
    assert session.get_inputs()[0].shape == ["n", 2]


def test_refused(tmp_path):
    run = run_of(fastgd.MLP(2, 1), np.zeros(3))
    assert_refused(lambda: run.to_onnx(tmp_path / "net.onnx", dtype="half"), ValueError, ["dtype", "'half'", "float32"])
    assert list(tmp_path.iterdir()) == []


def test_without_onnx_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    run = run_of(fastgd.MLP(2, 1), np.zeros(3))
    assert_refused(lambda: run.to_onnx(tmp_path / "net.onnx"), ImportError, ["pip install 'fastgd[onnx]'"])
