"""Exported networks beside others' exports: `python bench/exports.py`. Time of a prediction of one row, and the size of its code.

The networks are scikit-learn's, relu inside, of classes, in float32. fastgd and emlearn export them as C, which `cc -O3 -march=native`
compiles and a loop of C calls; others are called in a loop of Python. All compute the same outputs before anything is timed. Times are the
least of some rounds, in processor time. Sizes are of text and numbers in an object file by `cc -Os` that has the network alone.
`pip install '.[bench]'` brings the peers; those that are missing are left out.
"""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import warnings
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from machine import facts
from numba import njit
from sklearn.neural_network import MLPClassifier
from tables import duration, short_fact_lines

import fastgd

SHAPES = ((2, 8, 1), (4, 32, 16, 4), (64, 100, 10))
ROUNDS = 7
COMPILER = shutil.which("cc")
_LOOP = """
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "network.h"
int main(int count, char **values)
{
    float x[%(inputs)d], y[%(outputs)d] = {0.0f};
    for (int k = 0; k < %(inputs)d; ++k) x[k] = strtof(values[k + 1], NULL);
    for (int round = 0; round < %(rounds)d; ++round) {
        const clock_t begin = clock();
        for (long i = 0; i < %(repeats)d; ++i) {
            %(call)s
            __asm__ volatile("" : : "r"(x), "r"(y) : "memory");
        }
        printf("%%.17g\\n", (double)(clock() - begin) / CLOCKS_PER_SEC / %(repeats)d);
    }
    for (int j = 0; j < %(outputs)d; ++j) printf("%%.9g\\n", (double)y[j]);
    return count < 0;
}
"""


def in_c(folder: Path, x: Any, outputs: int, call: str, *flags: str) -> tuple[Any, float, int]:
    """Outputs, seconds of a call, and bytes of the code of the header `network.h` in this folder."""
    assert COMPILER is not None
    inside = {"inputs": len(x), "outputs": outputs, "rounds": ROUNDS, "repeats": max(1000, 2_000_000 // (len(x) * 20)), "call": call}
    (folder / "main.c").write_text(_LOOP % inside)
    subprocess.run([COMPILER, "-std=gnu99", "-O3", "-march=native", *flags, "-o", folder / "main", folder / "main.c", "-lm"], check=True)
    told = subprocess.run([folder / "main", *map(repr, map(float, x))], capture_output=True, text=True, check=True).stdout.split()
    numbers = list(map(float, told))
    (folder / "alone.c").write_text(f'#include "network.h"\nvoid alone(float *x, float *y);\nvoid alone(float *x, float *y) {{ {call} }}\n')
    subprocess.run([COMPILER, "-std=gnu99", "-Os", *flags, "-c", "-o", folder / "alone.o", folder / "alone.c"], check=True)
    sizes = subprocess.run(["size", folder / "alone.o"], capture_output=True, text=True, check=True).stdout.splitlines()[1].split()
    return np.array(numbers[ROUNDS:]), min(numbers[:ROUNDS]), sum(map(int, sizes[:3]))


def by_fastgd(folder: Path, run: fastgd.Run, model: Any, x: Any) -> Any:
    run.to_c(folder / "network.h")
    return in_c(folder, x, run.net.widths[-1], "network(x, y);")


def by_emlearn(folder: Path, run: fastgd.Run, model: Any, x: Any) -> Any:
    import emlearn

    os.chdir(folder)  # where it writes what it tries
    emlearn.convert(model, method="inline", dtype="float").save(file=str(folder / "network.h"), name="network")
    n = len(x)
    call = f"eml_net_predict_proba(&network, x, {n}, y, {max(2, run.net.widths[-1])});"
    os.chdir("/")
    outputs, seconds, size = in_c(folder, x, max(2, run.net.widths[-1]), call, f"-I{emlearn.includedir}", "-w")
    return outputs[-run.net.widths[-1] :], seconds, size


def timed(call: Any) -> float:
    """Seconds of a call from Python."""
    call()
    count, times = 1, [0.0]
    while times[-1] < 0.02:
        count *= 2
        times = [_seconds(call, count)]
    return min(_seconds(call, count) for _ in range(ROUNDS)) / count


def _seconds(call: Any, count: int) -> float:
    begin = time.process_time()
    for _ in range(count):
        call()
    return time.process_time() - begin


def by_jitted(folder: Path, run: fastgd.Run, model: Any, x: Any) -> Any:
    predict, rows, out = run.net.jitted.predict, np.tile(x, (64, 1)), np.empty((64, run.net.widths[-1]), np.float32)

    @njit
    def often(params: Any, rows: Any, out: Any, count: int) -> None:
        for i in range(count):
            predict(params, rows[i % 64], out[i % 64])

    often(run.params, rows, out, 64)
    return out[0].copy(), timed(lambda: often(run.params, rows, out, 1024)) / 1024, None


def one_output_by_hand(run: fastgd.Run, x: Any) -> Any:
    """One hidden layer and one output as one would write them for Numba: without an array between."""
    inputs, units, _ = run.net.widths
    zero, one = np.float32(0), np.float32(1)

    @njit(fastmath=True)
    def predict(W: Any, b: Any, w: Any, c: Any, x: Any, out: Any) -> None:
        z = c
        for j in range(units):
            s = b[j]
            for k in range(inputs):
                s += W[j, k] * x[k]
            z += w[j] * max(s, zero)
        out[0] = one / (one + np.exp(-z))

    @njit
    def often(W: Any, b: Any, w: Any, c: Any, rows: Any, out: Any, count: int) -> None:
        for i in range(count):
            predict(W, b, w, c, rows[i % 64], out[i % 64])

    (W, b), (w, c) = run.net.unpack(run.params)
    rows, out = np.tile(x, (64, 1)), np.empty((64, 1), np.float32)
    given = W, b, w[0].copy(), c[0], rows, out
    often(*given, 64)
    return out[0].copy(), timed(lambda: often(*given, 1024)) / 1024, None


def by_hand(folder: Path, run: fastgd.Run, model: Any, x: Any) -> Any:
    """As one would write it for Numba: each layer a loop in which sums may have any order, of widths that are known, without allocation."""
    zero, widths = np.float32(0), run.net.widths
    if widths[2:] == (1,):
        return one_output_by_hand(run, x)

    def layer(inputs: int, units: int) -> Any:
        @njit(fastmath=True, forceinline=True)
        def relu_of_layer(W: Any, b: Any, x: Any, out: Any) -> None:
            for j in range(units):
                z = b[j]
                for k in range(inputs):
                    z += W[j, k] * x[k]
                out[j] = max(z, zero)

        return relu_of_layer

    inputs, units, outputs = widths[-3], widths[-2], widths[-1]

    @njit(fastmath=True, forceinline=True)
    def last(W: Any, b: Any, x: Any, out: Any) -> None:
        for j in range(outputs):
            z = b[j]
            for k in range(units):
                z += W[j, k] * x[k]
            out[j] = z
        largest, total = out[0], zero
        for j in range(outputs):
            largest = max(largest, out[j])
        for j in range(outputs):
            out[j] = np.exp(out[j] - largest)
            total += out[j]
        for j in range(outputs):
            out[j] /= total

    before = layer(inputs, units)
    if len(widths) == 3:

        @njit
        def predict(parameters: Any, a: Any, x: Any, out: Any) -> None:
            (W1, b1), (W2, b2) = parameters
            before(W1, b1, x, a[0])
            last(W2, b2, a[0], out)
    else:
        first = layer(widths[0], widths[1])

        @njit
        def predict(parameters: Any, a: Any, x: Any, out: Any) -> None:
            (W1, b1), (W2, b2), (W3, b3) = parameters
            first(W1, b1, x, a[0])
            before(W2, b2, a[0], a[1])
            last(W3, b3, a[1], out)

    @njit
    def often(parameters: Any, a: Any, rows: Any, out: Any, count: int) -> None:
        for i in range(count):
            predict(parameters, a, rows[i % 64], out[i % 64])

    parameters = tuple((W.copy(), b.copy()) for W, b in run.net.unpack(run.params) if b is not None)
    hidden = tuple(np.empty(width, np.float32) for width in widths[1:-1])
    given = parameters, hidden, np.tile(x, (64, 1)), np.empty((64, widths[-1]), np.float32)
    often(*given, 64)
    return given[3][0].copy(), timed(lambda: often(*given, 1024)) / 1024, None


def by_predictor(folder: Path, run: fastgd.Run, model: Any, x: Any) -> Any:
    f, X = run.net.predictor(run.params), x[None]
    return f(X)[0], timed(lambda: f(X)), None


def by_onnxruntime(folder: Path, run: fastgd.Run, model: Any, x: Any) -> Any:
    import onnxruntime

    run.to_onnx(folder / "network.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "network.onnx"), options, providers=["CPUExecutionProvider"])
    X = {"X": x[None]}
    return session.run(None, X)[0][0], timed(lambda: session.run(None, X)), None


def by_mlpfile(folder: Path, run: fastgd.Run, model: Any, x: Any) -> Any:
    """Which has no output but linear ones: its outputs are those before the last activation."""
    import mlpfile

    layers = [(W, b) for W, b in run.net.unpack(run.params) if b is not None]
    linear, relu = int(mlpfile.LayerType.Linear), int(mlpfile.LayerType.ReLU)
    words = [word for W, _ in layers for word in (linear, len(W), relu)][:-1]
    parts = [struct.pack("=II", 2 * len(layers) - 1, run.net.widths[0]), struct.pack(f"={len(words)}I", *words)]
    (folder / "network.mlp").write_bytes(b"".join([*parts, *(part.tobytes() for layer in layers for part in layer)]))
    loaded = mlpfile.Model.load(str(folder / "network.mlp"))
    z = loaded.forward(x)
    e = np.exp(z - z.max())
    return 1 / (1 + np.exp(-z)) if len(z) == 1 else e / e.sum(), timed(lambda: loaded.forward(x)), None


def by_sklearn(folder: Path, run: fastgd.Run, model: Any, x: Any) -> Any:
    X = x[None]
    return model.predict_proba(X)[0][-run.net.widths[-1] :], timed(lambda: model.predict_proba(X)), None


KINDS = {
    "fastgd C": by_fastgd, "emlearn C": by_emlearn, "fastgd jitted": by_jitted, "Numba by hand": by_hand, "fastgd predictor": by_predictor,
    "mlpfile": by_mlpfile, "onnxruntime": by_onnxruntime, "scikit-learn": by_sklearn,
}  # fmt: skip


def problem(widths: tuple[int, ...]) -> tuple[Any, fastgd.Run, Any]:
    """A fitted classifier, its network as a run, and a row."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, widths[0])).astype(np.float32)
    y = np.arange(200) % max(2, widths[-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPClassifier(widths[1:-1], max_iter=5, random_state=0).fit(X, y)
    net, params = fastgd.from_sklearn(model)
    return model, fastgd.train(net, X, rng.uniform(size=(200, widths[-1])), 0, params=params), X[0]


def main() -> None:
    if COMPILER is None:
        sys.exit("no compiler of C")
    print(*short_fact_lines(facts()), sep="\n")
    print(f"\n{'network':14}{'exported to':20}{'a row':>10}{'over C':>9}{'bytes':>9}")
    for widths in SHAPES:
        model, run, x = problem(widths)
        least = 0.0
        for kind, export in KINDS.items():
            with tempfile.TemporaryDirectory() as folder:
                try:
                    outputs, seconds, size = export(Path(folder), run, model, x.copy())
                except (ImportError, ValueError) as error:
                    print(f"{'-'.join(map(str, widths)):14}{kind:20}  left out: {error}")
                    continue
            np.testing.assert_allclose(outputs, run.predict(x[None])[0], rtol=2e-4, atol=1e-5, err_msg=kind)
            least = least or seconds
            told = "" if size is None else f"{size:>9,}"
            print(f"{'-'.join(map(str, widths)):14}{kind:20}{duration(seconds * 1e9):>10}{seconds / least:9.2f}{told}")


if __name__ == "__main__":
    ArgumentParser(description=__doc__).parse_args()
    main()
