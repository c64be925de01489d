"""net.jitted: a network inside one's own compiled code, beside the oracle, from Python and from other functions, kept on disk."""

import os
import pickle
import re
import subprocess
import sys
import textwrap

import numpy as np
import oracle
import pytest
from conftest import random_problem
from numba import njit
from numba.core.errors import TypingError

import fastgd
from fastgd.kernels.generated import jitted
from fastgd.machine import cache_folder
from fastgd.machine.jitted_module import module_of

NETS = {
    "notes": fastgd.MLP(2, 2, 1),
    "softmax": fastgd.MLP(3, 4, 2, activation="tanh", output="softmax", loss="cross_entropy"),
    "softmax of squared errors": fastgd.MLP(3, 2, activation="softmax"),
    "without biases": fastgd.MLP(3, 4, 3, 2, activation=["silu", "elu", "identity"], loss="huber(0.5)", bias=False),
    "float32": fastgd.MLP(3, 4, 2, activation="tanh", output="sigmoid", loss="binary_cross_entropy", dtype="float32"),
    "smoothed labels": fastgd.MLP(20, 17, 11, 3, activation=["tanh", "sin", "softmax"], loss="cross_entropy(0.1)"),
    "rows of whole vectors and a few numbers": fastgd.MLP(33, 6, 32, 4, activation=["identity", "softplus", "relu"]),
    "rows of a narrow vector and a few numbers": fastgd.MLP(5, 7, 3, 2, activation=["relu", "tanh", "identity"]),
    "narrow vectors of float32": fastgd.MLP(9, 5, 3, activation=["gelu", "sigmoid"], dtype="float32"),
    "one input, and vectors of units": fastgd.MLP(1, 10, 1, activation="tanh", output="identity"),
    "vectors of half the lanes": fastgd.MLP(2, 9, 3, activation=["tanh", "softmax"], loss="cross_entropy(0.2)", dtype="float32"),
    "more units than memory on the stack is for": fastgd.MLP(2, 2700, 1, activation="tanh", output="identity"),
}

# as loops, which take less to compile of the first two
LOOPED = ["smoothed labels", "rows of whole vectors and a few numbers"]
BOTH = ["softmax of squared errors", "rows of a narrow vector and a few numbers", "narrow vectors of float32"]
FORMS = [*((name, False) for name in NETS if name not in LOOPED), *((name, True) for name in [*LOOPED, *BOTH])]


def in_loops(net, monkeypatch):
    """The functions of a small network as those of a larger one are."""
    monkeypatch.setattr(jitted, "MOST_LINES", 0)
    return module_of("jitted", lambda decorator: jitted.source(net, decorator))


@pytest.mark.parametrize(("name", "loops"), FORMS)
def test_as_the_oracle(name, loops, monkeypatch):
    net = NETS[name]
    functions = in_loops(net, monkeypatch) if loops else net.jitted
    X, Y, params = random_problem(net, 5)
    bound = 1e-12 if net.dtype == "float64" else 1e-5
    for x, y in zip(X, Y, strict=True):
        out, gradient = np.empty(net.widths[-1], net.dtype), np.full(net.n_params, 7, net.dtype)
        functions.predict(params, x, out)
        np.testing.assert_allclose(out, oracle.predict(net, params, x[None])[0], rtol=bound)
        same = net.predict(params, x[None])[0]
        # sums have another order
        near = bound / 100 if net.dtype == "float64" else bound / 20
        assert np.max(np.abs(out - same)) <= near * max(1, np.max(np.abs(same)), max(net.widths) / 100)
        cost = functions.cost_and_gradient(params, x, y, gradient)
        if "(" not in net.loss:  # whose numbers the oracle has
            np.testing.assert_allclose(cost, oracle.cost(net, params, x[None], y[None]), rtol=bound, atol=bound)
            np.testing.assert_allclose(gradient, oracle.gradient(net, params, x[None], y[None]), rtol=10 * bound, atol=bound)
        else:
            expected = net.cost_and_gradient(params, x[None], y[None])
            np.testing.assert_allclose(cost, expected[0], rtol=bound)
            np.testing.assert_allclose(gradient, expected[1], rtol=bound, atol=bound)
        jacobian = np.empty((net.widths[-1], net.widths[0]), net.dtype)
        functions.input_gradient(params, x, jacobian)
        moved = 1e-5 * np.eye(len(x))
        wide = params.astype(float)
        differences = (oracle.predict(net, wide, x + moved) - oracle.predict(net, wide, x - moved)) / 2e-5
        np.testing.assert_allclose(jacobian, differences.T, rtol=1e-6 if bound < 1e-9 else 1e-4, atol=1e-8 if bound < 1e-9 else 1e-6)


def test_small_functions_are_written_out():
    """Each that takes few enough lines; of many outputs and inputs the gradient by inputs takes many."""
    looped = {
        net.widths: re.findall(r"def _(\w+)", jitted.source(net, "kept"))
        for net in (fastgd.MLP(4, 32, 16, 4), fastgd.MLP(64, 10, activation="softmax"), fastgd.MLP(64, 100, 10))
    }
    every = ["predict", "cost_and_gradient", "input_gradient"]
    assert looped == {(4, 32, 16, 4): [], (64, 10): every[2:], (64, 100, 10): every}


def test_inside_ones_own_loop():
    """Gradient descent, row by row, written by a user; as training does it in batches of one."""
    net = NETS["notes"]
    X, Y = fastgd.data.gate("xor")
    functions = net.jitted

    @njit
    def descend(params, X, Y, rate, epochs):
        gradient, total = np.empty_like(params), 0.0
        for _ in range(epochs):
            for i in range(len(X)):
                total += functions.cost_and_gradient(params, X[i], Y[i], gradient)
                params -= rate * gradient
        return total

    params = net.init(rng=0)
    assert descend(params, X, Y, 0.5, 20) > 0
    run = fastgd.train(net, X, Y, 20, 0.5, rng=0, batch_size=1, shuffle=False)
    np.testing.assert_allclose(params, run.params, rtol=1e-12)


@pytest.mark.parametrize("name", ["notes", "one input, and vectors of units", "vectors of half the lanes"])
def test_arrays_of_another_dtype_are_refused_where_they_are_compiled(name):
    """Vectors of theirs have other lanes, which would be written behind the end of the gradient."""
    net = NETS[name]
    other = "float32" if net.dtype == "float64" else "float64"
    x, y, params = np.ones(net.widths[0], net.dtype), np.ones(net.widths[-1], net.dtype), net.init(rng=0)
    for given, gradient in ((params, params.astype(other)), (params.astype(other), params.copy())):
        with pytest.raises(TypingError, match=rf"this must be an array of {net.dtype} without gaps; got array\({other}, 1d, C\)"):
            net.jitted.cost_and_gradient(given, x, y, gradient)
    with pytest.raises(TypingError, match=f"this must be an array of {net.dtype} without gaps"):
        net.jitted.predict(np.repeat(params, 2)[::2], x, y)


def test_small_networks_are_merged_into_what_calls_them():
    """Of which no call is left, which would cost more than some of them do; one to a large network is."""
    left = {}
    for name in ("notes", "more units than memory on the stack is for"):
        net = NETS[name]
        predict = net.jitted.predict

        @njit
        def of_rows(params, X, out):
            for i in range(len(X)):
                predict(params, X[i], out[i])  # noqa: B023

        of_rows(net.init(rng=0), np.ones((3, net.widths[0])), np.empty((3, net.widths[-1])))
        (text,) = of_rows.inspect_llvm().values()
        left[name] = len(re.findall(r"call .*jitted_\w*predict", text))
    assert list(left.values()) == [0, 1]


_SCRIPT = """
import sys
import numpy as np
from numba import njit
import fastgd

net = fastgd.MLP(2, 2, 1)
jitted = net.jitted

@njit(cache=True)
def twice(params, x, out):
    jitted.predict(params, x, out)
    return 2 * out[0]

params, out = net.init(rng=0), np.empty(1)
assert twice(params, np.array([0.5, 1.0]), out) == 2 * out[0]
assert abs(out[0] - net.predict(params, [[0.5, 1.0]])[0, 0]) < 1e-15
print(sum(jitted.predict.stats.cache_hits.values()), sum(twice.stats.cache_hits.values()))
"""


def test_kept_on_disk_and_what_calls_it_too(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(_SCRIPT))
    place = {**os.environ, "FASTGD_CACHE_DIR": str(tmp_path / "cache")}
    place.pop("NUMBA_CACHE_DIR", None)
    told = [subprocess.run([sys.executable, script], env=place, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert told == ["0 0\n", "0 1\n"]
    assert len(list((tmp_path / "cache").glob("jitted_*.py"))) == 1


def test_without_a_folder_it_is_compiled_in_memory(tmp_path):
    (tmp_path / "file").write_text("")
    text = _SCRIPT.replace("@njit(cache=True)", "@njit")
    place = {**os.environ, "FASTGD_CACHE_DIR": str(tmp_path / "file" / "cache"), "PYTHONWARNINGS": "ignore"}
    told = subprocess.run([sys.executable, "-c", textwrap.dedent(text)], env=place, capture_output=True, text=True, check=True).stdout
    assert told == "0 0\n"


def test_cleared_with_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTGD_CACHE_DIR", str(tmp_path))
    net = fastgd.MLP(1, 1, activation="identity")
    net.jitted.predict(net.init(rng=0), np.array([1.0]), np.empty(1))
    assert {path.suffix for path in tmp_path.rglob("jitted_*")} >= {".py", ".nbi"}
    cache_folder.clear()
    assert list(tmp_path.rglob("jitted_*")) == []


def test_a_network_holds_no_code():
    net = NETS["notes"]
    assert net.jitted is net.jitted
    assert b"jitted" not in pickle.dumps(net)
    assert pickle.loads(pickle.dumps(net)).jitted is net.jitted
