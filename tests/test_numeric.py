"""The functions of numeric.py against mpmath, for single floats and for vectors, under the kernels' flags and laxer ones."""

import os
import platform
import subprocess
import sys
from functools import cache

import mpmath
import numba
import numpy as np
import pytest
from this_machine import compiles_for

from fastgd.machine import jit
from fastgd.machine.elementary import cos, exp, log, log1p, quotients, residuals, sigmoid, sigmoid_parts, sin, tanh
from fastgd.machine.normal import normal_cdf, normal_pdf
from fastgd.machine.ready_made import X86_64
from fastgd.machine.span import lanes_of, load, span_of, store
from fastgd.machine.special import erf, expm1, softplus, softplus_slope
from fastgd.machine.vector import like

NAMES = ["exp", "log", "log1p", "tanh", "sigmoid", "sin", "cos", "sigmoid_parts", "quotients", "expm1", "erf", "softplus", "softplus_slope"]
ULPS = {
    "exp": 2.5, "log": 1.0, "log1p": 1.5, "tanh": 2.5, "sigmoid": 5.5, "sin": 1.0, "cos": 1.0, "sigmoid_parts": 5.5, "quotients": 7.0,
    "expm1": 2.5, "erf": 1.5, "softplus": 3.5, "softplus_slope": 5.5,
}  # fmt: skip
EXACT = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "sigmoid_parts": lambda x: 1 / (1 + 3 * mpmath.exp(-x)),
    "quotients": lambda x: 1 / (1 + 7 * mpmath.exp(-x)),
    "expm1": mpmath.expm1,
    "erf": mpmath.erf,
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "softplus_slope": lambda x: 1 / (1 + mpmath.exp(-x)),
}
FLAGS = {
    "the kernels' flags": jit.FLAGS,
    "laxer flags": {**jit.FLAGS, "fastmath": {"contract", "reassoc", "nsz"}},
}


@cache
def applied(flags):
    """Functions of x and results, a row for each of `NAMES`, one for single floats and one for vectors of the whole lanes of x."""

    @numba.njit(**FLAGS[flags])
    def by_float(x, results):
        for i in range(len(x)):
            v = x[i]
            results[0, i] = exp(v)
            results[1, i] = log(v)
            results[2, i] = log1p(v)
            results[3, i] = tanh(v)
            results[4, i] = sigmoid(v)
            results[5, i] = sin(v)
            results[6, i] = cos(v)
            t, u = sigmoid_parts(v)
            results[7, i] = t / (t + u * like(v, 3.0))
            results[8, i] = quotients(t, t + u * like(v, 3.0), t + u * like(v, 7.0))[1]
            results[9, i] = expm1(v)
            results[10, i] = erf(v)
            results[11, i] = softplus(v)
            results[12, i] = softplus_slope(v)

    @numba.njit(**FLAGS[flags])
    def by_vector(x, results):
        n = len(x)
        source, target = span_of(x), span_of(results)
        for i in range(0, n, lanes_of(source)):
            v = load(source, i)
            store(target, i, exp(v))
            store(target, n + i, log(v))
            store(target, 2 * n + i, log1p(v))
            store(target, 3 * n + i, tanh(v))
            store(target, 4 * n + i, sigmoid(v))
            store(target, 5 * n + i, sin(v))
            store(target, 6 * n + i, cos(v))
            t, u = sigmoid_parts(v)
            store(target, 7 * n + i, t / (t + u * like(v, 3.0)))
            store(target, 8 * n + i, quotients(t, t + u * like(v, 3.0), t + u * like(v, 7.0))[1])
            store(target, 9 * n + i, expm1(v))
            store(target, 10 * n + i, erf(v))
            store(target, 11 * n + i, softplus(v))
            store(target, 12 * n + i, softplus_slope(v))

    return {"float": by_float, "vector": by_vector}


def evaluated(name, x, flags, form):
    """The named function of x (n,)."""
    padded = np.ones(-(-len(x) // 8) * 8, x.dtype)
    padded[: len(x)] = x
    results = np.empty((len(NAMES), len(padded)), x.dtype)
    applied(flags)[form](padded, results)
    return results[NAMES.index(name), : len(x)]


@pytest.fixture(params=FLAGS, scope="module")
def flags(request):
    return request.param


@pytest.fixture(params=["float", "vector"], scope="module")
def form(request):
    return request.param


@cache
def points(name, dtype):
    """A thousand or so values where the named function is finite, over its whole range, dense where it is interesting."""
    rng = np.random.default_rng(NAMES.index(name))
    info = np.finfo(dtype)
    top, bottom = float(np.log(info.max)), float(np.log(info.tiny))
    size = 400
    magnitudes = 2.0 ** rng.uniform(np.log2(float(info.tiny)), np.log2(float(info.max)) - 1, size)
    both_signs = np.concatenate([magnitudes, -magnitudes])
    near_zero = 10.0 ** rng.uniform(-10, 0, size) * rng.choice([-1, 1], size)
    ordinary = rng.normal(size=size) * 5
    halfway = np.arange(-99, 100) * np.log(2) / 32  # between what entries of tables are for
    chosen = {
        "exp": [rng.uniform(bottom, top, 2 * size), near_zero, ordinary, np.arange(-20, 20) * np.log(2) / 2],
        "log": [magnitudes, 1 + near_zero[near_zero > -0.9], np.abs(ordinary), 2.0 ** np.arange(-30, 30) * np.sqrt(2)],
        "expm1": [rng.uniform(-40, top, size), near_zero, ordinary, np.arange(-20, 20) * np.log(2) / 2],
        "softplus": [rng.uniform(bottom + 1, top, size), near_zero, ordinary, np.abs(ordinary)],
        "erf": [rng.uniform(-6, 6, 2 * size), near_zero, both_signs[np.abs(both_signs) < 1e30], rng.uniform(0.9, 1.1, size)],
        "log1p": [
            rng.uniform(0, 1, 2 * size),
            rng.uniform(-0.9, 0, size),
            magnitudes,
            np.abs(near_zero),
            2.0 ** -np.arange(0.0, 60.0),
            [0.0, 1.0],
        ],
        "tanh": [both_signs, near_zero, ordinary],
        "sigmoid": [rng.uniform(bottom, top, size), rng.uniform(bottom, top, size) / 10, near_zero, ordinary, halfway],
        "sin": [both_signs, near_zero, ordinary * 100, np.arange(1, 100) * np.pi / 2],
        "cos": [both_signs, near_zero, ordinary * 100, np.arange(1, 100) * np.pi / 2],
    }
    chosen["sigmoid_parts"] = chosen["quotients"] = chosen["softplus_slope"] = chosen["sigmoid"]
    return np.concatenate(chosen[name]).astype(dtype)


@cache
def exact(name, dtype):
    """The true values at `points`, as (n,) high and low parts."""
    with mpmath.workdps(40):
        values = [EXACT[name](mpmath.mpf(float(x))) for x in points(name, dtype)]
        high = [float(v) for v in values]
        low = [float(v - h) for v, h in zip(values, high, strict=True)]
    return np.array(high), np.array(low)


@pytest.mark.parametrize("name", NAMES)
def test_units_in_the_last_place(name, dtype, flags, form):
    x = points(name, dtype)
    high, low = exact(name, dtype)
    ours = evaluated(name, x, flags, form)
    assert ours.dtype == dtype
    tiny = float(np.finfo(dtype).tiny)
    normal = np.abs(high) >= tiny
    spacing = np.spacing(np.abs(high).astype(dtype)).astype(float)
    errors = np.abs((ours.astype(float) - high) - low)
    worst = np.argmax(np.where(normal, errors / spacing, 0))
    assert errors[worst] / spacing[worst] <= ULPS[name], f"{name}({x[worst]!r}) = {ours[worst]!r}, exactly {high[worst]!r}"
    assert np.all(errors[~normal] <= tiny)
    assert normal.sum() > 500


@pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="no float that is wider")
@pytest.mark.parametrize(("name", "most"), [("sigmoid", ULPS["sigmoid"]), ("softplus", 4.5)])
def test_many_points(name, most, dtype, form):
    """As above, at a thousand times as many: five roundings seldom fall the same way."""
    x = np.random.default_rng(0).uniform(-40, 20, 1_000_000).astype(dtype)
    grown = np.exp(-np.abs(x.astype(np.longdouble)))
    exactly = {"sigmoid": np.where(x < 0, grown, 1) / (1 + grown), "softplus": np.maximum(x, 0) + np.log1p(grown)}[name]
    ours = evaluated(name, x, "the kernels' flags", form)
    errors = np.abs(ours - exactly) / np.spacing(exactly.astype(dtype))
    worst = errors.argmax()
    assert errors[worst] <= most, f"{name}({x[worst]!r})"


SPECIAL = {  # name: (x, exact result) where IEEE arithmetic has an opinion
    "exp": [(0.0, 1.0), (-0.0, 1.0), (np.inf, np.inf), (-np.inf, 0.0), (1e30, np.inf), (-1e30, 0.0), (-1e4, 0.0), (1e4, np.inf)],
    "log": [(0.0, -np.inf), (-0.0, -np.inf), (1.0, 0.0), (np.inf, np.inf), (-1.0, np.nan), (-np.inf, np.nan), (-1e-30, np.nan)],
    "log1p": [(0.0, 0.0), (1e-30, 1e-30), (np.inf, np.inf), (-1.0, -np.inf), (-2.0, np.nan)],
    "expm1": [(0.0, 0.0), (np.inf, np.inf), (-np.inf, -1.0), (1e30, np.inf), (-1e30, -1.0), (1e-30, 1e-30)],
    "softplus": [(np.inf, np.inf), (-np.inf, 0.0), (1e4, 1e4), (-1e4, 0.0), (1e30, 1e30)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (np.inf, 1.0), (-np.inf, -1.0), (1e30, 1.0), (-1e30, -1.0), (6.5, 1.0)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (np.inf, 1.0), (-np.inf, -1.0), (1e30, 1.0), (-1e30, -1.0), (25.0, 1.0), (-25.0, -1.0)],
    "sigmoid": [(0.0, 0.5), (-0.0, 0.5), (np.inf, 1.0), (-np.inf, 0.0), (1e30, 1.0), (-1e30, 0.0), (100.0, 1.0), (-1e4, 0.0)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (np.inf, np.nan), (-np.inf, np.nan)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (np.inf, np.nan), (-np.inf, np.nan)],
    "sigmoid_parts": [(0.0, 0.25), (-0.0, 0.25), (np.inf, 1.0), (-np.inf, 0.0), (1e30, 1.0), (-1e30, 0.0), (100.0, 1.0), (-1e4, 0.0)],
    "quotients": [(0.0, 0.125), (-0.0, 0.125), (-np.inf, 0.0), (-1e30, 0.0), (-1e4, 0.0)],
}
SPECIAL["softplus_slope"] = SPECIAL["sigmoid"]


@pytest.mark.parametrize("name", NAMES)
def test_special_values(name, dtype, flags, form):
    x, expected = np.array([*SPECIAL[name], (np.nan, np.nan)], dtype).T.copy()
    ours = evaluated(name, x, flags, form)
    assert np.array_equal(ours, expected, equal_nan=True)
    if name == "tanh":  # with laxer flags the sign of zero is nobody's business
        assert np.array_equal(np.signbit(ours[:-1]), np.signbit(expected[:-1])) or flags == "laxer flags"


@pytest.mark.parametrize("name", ["exp", "tanh", "sigmoid", "sin", "cos", "softplus", "softplus_slope"])
def test_nan_of_either_sign(name, dtype, flags, form):
    assert np.isnan(evaluated(name, np.array([np.nan, -np.nan], dtype), flags, form)).all()


def test_overflow_edge_of_exp(dtype, flags, form):
    """The largest argument of a finite e^x is right, the next float gives inf, at -x sigmoid goes on being finite."""
    info = np.finfo(dtype)
    edge = np.log(info.max.astype(np.longdouble)).astype(dtype)
    while mpmath.exp(mpmath.mpf(float(edge))) > float(info.max):
        edge = np.nextafter(edge, dtype_of(0, dtype))
    above = np.nextafter(edge, info.max)
    below, at, over = evaluated("exp", np.array([edge - 1, edge, above], dtype), flags, form)
    assert below < at <= info.max
    assert over == np.inf
    assert float(at) == pytest.approx(float(mpmath.exp(mpmath.mpf(float(edge)))), rel=4 * float(info.eps))
    assert np.all(evaluated("sigmoid", np.array([-edge, -above], dtype), flags, form) <= info.tiny)


def test_underflow_of_exp(dtype, flags, form):
    """Results are right down to sqrt 2 times the smallest normal number, below it right or flushed to zero, and never negative."""
    tiny = float(np.finfo(dtype).tiny)
    x = (np.log(tiny) + np.linspace(-30, 2, 801)).astype(dtype)
    ours = evaluated("exp", x, flags, form).astype(float)
    theirs = np.array([float(mpmath.exp(mpmath.mpf(float(v)))) for v in x])
    assert np.all(ours >= 0)
    right = np.abs(ours - theirs) <= 2 * float(np.finfo(dtype).eps) * theirs
    assert np.all(right | ((ours == 0) & (theirs < 1.4143 * tiny)))
    assert right.sum() > 30


def test_subnormal_arguments(dtype, flags, form):
    info = np.finfo(dtype)
    x = np.array([info.smallest_subnormal, info.smallest_subnormal * 3, info.tiny / 2, info.tiny], dtype)
    for name in ["exp", "cos"]:
        assert np.array_equal(evaluated(name, x, flags, form), np.ones(4, dtype))
    assert np.array_equal(evaluated("sigmoid", x, flags, form), np.full(4, 0.5, dtype))
    for name in ["tanh", "sin", "log1p"]:
        assert np.all(np.abs(evaluated(name, x, flags, form) - x) <= info.tiny)
    theirs = [float(mpmath.log(mpmath.mpf(float(v)))) for v in x]
    assert evaluated("log", x, flags, form).astype(float) == pytest.approx(theirs, rel=2 * float(info.eps))


def test_misses(dtype):
    """sigmoid(x - log c) - y for two c at once, beside the same at high precision."""

    @numba.njit(**jit.FLAGS)
    def both(x, y, ours):
        for i in range(len(x)):
            t, u = sigmoid_parts(x[i])
            ours[i] = residuals(t, t + u * like(x[i], 3.0), t + u * like(x[i], 7.0), y[i])

    rng = np.random.default_rng(0)
    x = rng.uniform(-40, 40, 300).astype(dtype)
    for y in (0.0, 1.0, 0.7, -20.0):
        ours = np.empty((len(x), 2), dtype)
        both(x, np.full(len(x), y, dtype), ours)
        for c, one in zip((3, 7), ours.T, strict=True):
            theirs = [float(1 / (1 + c * mpmath.exp(-mpmath.mpf(float(v)))) - mpmath.mpf(float(dtype_of(y, dtype)))) for v in x]
            assert one == pytest.approx(theirs, rel=0, abs=5 * float(np.finfo(dtype).eps) * (1 + abs(y)))


def dtype_of(number, dtype):
    """The number, rounded to the dtype."""
    return np.array(number, dtype)[()]


def test_float_and_vector_give_the_same_bits(dtype):
    """A layer's result must not depend on whether its code was written for one float or a vector of them."""
    for name in NAMES:
        x = points(name, dtype)
        one, many = (evaluated(name, x, "the kernels' flags", form) for form in ("float", "vector"))
        assert np.array_equal(one, many), name


_V4 = ",".join(f"+{feature}" for feature in X86_64[0].features)
OLDER = {  # processors, their features, and what is written in another way for them
    "cascadelake": (_V4, "(sigmoid or same_bits) and not quotients"),  # looks powers up in a shorter table
    "haswell": ("+avx,+avx2,+fma", "sigmoid or quotients or softplus or same_bits"),  # looks nothing up: a longer polynomial
    "nehalem": ("+sse4.2", "last_place or underflow or same_bits"),  # has no instruction for fma
}


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="names processors of x86")
@pytest.mark.parametrize("processor", OLDER)
def test_older_processors(processor):
    """The tests above, run again for one, where they have not run so already."""
    features, chosen = OLDER[processor]
    if "NUMBA_CPU_NAME" in os.environ or (processor != "nehalem" and not compiles_for("avx512vl")):
        return
    settings = {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": features}
    tests = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", __file__, "-k", chosen]
    done = subprocess.run(tests, env=os.environ | settings, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_normal_distribution_by_same_bits(dtype):
    """Shares of 1 and densities, within the rounding of the largest, by floats and vectors."""

    @numba.njit(**jit.FLAGS)
    def both(x, ours):
        source, target, n = span_of(x), span_of(ours), len(x)
        for i in range(0, n, lanes_of(source)):
            v = load(source, i)
            store(target, i, normal_cdf(v))
            store(target, 2 * n + i, normal_pdf(v))
        for i in range(n):
            ours[1, i] = normal_cdf(x[i])
            ours[3, i] = normal_pdf(x[i])

    x = np.concatenate([np.linspace(-12, 12, 1600), np.random.default_rng(0).normal(size=1600)]).astype(dtype)
    ours, eps = np.empty((4, len(x)), dtype), float(np.finfo(dtype).eps)
    both(x, ours)
    theirs = np.array([float(mpmath.ncdf(mpmath.mpf(float(v)))) for v in x])
    densities = np.array([float(mpmath.npdf(mpmath.mpf(float(v)))) for v in x])
    assert np.array_equal(ours[0], ours[1])
    assert np.array_equal(ours[2], ours[3])
    assert np.abs(ours[0] - theirs).max() <= 1.5 * eps
    assert np.abs(ours[0] / theirs - 1)[x > -2].max() < 12 * eps  # of e to a rounded power
    assert np.abs(ours[2] - densities).max() <= 0.75 * eps
    assert np.abs(ours[2] / densities - 1)[np.abs(x) < 2].max() < 5 * eps
    x[:6] = np.inf, -np.inf, 1e30, -1e30, np.nan, -0.0
    both(x, ours)
    expected = [[1, 0, 1, 0, np.nan]] * 2 + [[0, 0, 0, 0, np.nan]] * 2
    assert np.array_equal(ours[:, :5], expected, equal_nan=True)
    assert ours[:2, 5] == pytest.approx(0.5, rel=2 * eps)
    assert ours[2:, 5] == pytest.approx(1 / np.sqrt(2 * np.pi), rel=2 * eps)
