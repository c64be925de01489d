"""Spiral, circles and moons: points of two classes, by the equations of their curves."""

import numpy as np
import pytest
from conftest import assert_refused

from fastgd.data import circles, moons, spiral

SHAPES = [spiral, circles, moons]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [2, 3, 200])
def test_rows_alternate(shape, n):
    X, Y = shape(n)
    assert X.shape == (n, 2)
    assert X.dtype == Y.dtype == np.float64
    assert Y.tolist() == [[i % 2] for i in range(n)]
    assert len(np.unique(X.round(12), axis=0)) == n


@pytest.mark.parametrize("n", [10, 11])
def test_spiral_is_of_archimedes(n):
    """Angles grow by the radius, 1.75 turns in all; the other arm is half a turn on."""
    X, Y = spiral(n)
    for label, turned in ((0, 0.0), (1, 0.5)):
        x, y = X[Y[:, 0] == label].T
        radius = np.hypot(x, y)
        np.testing.assert_allclose(radius, np.arange(1, len(x) + 1) / len(x), rtol=1e-14)
        turns = np.arctan2(y, x) / (2 * np.pi) - 1.75 * radius - turned
        np.testing.assert_allclose(turns - turns.round(), 0, atol=1e-14)


def test_circles_have_their_radii():
    X, Y = circles(202)
    np.testing.assert_allclose(np.hypot(*X.T), np.where(Y[:, 0] == 1, 0.5, 1.0), rtol=1e-15)
    for label in (0, 1):
        angles = np.unwrap(np.arctan2(*X[Y[:, 0] == label].T[::-1]))
        np.testing.assert_allclose(np.diff(angles), 2 * np.pi / 101, rtol=1e-12)


def test_moons_are_scikit_learns():
    from sklearn.datasets import make_moons

    X, Y = moons(100)
    theirs, labels = make_moons(100, shuffle=False)
    for label in (0, 1):
        np.testing.assert_allclose(X[Y[:, 0] == label], theirs[labels == label], atol=1e-15)


@pytest.mark.parametrize("shape", SHAPES)
def test_noise_is_normal_and_of_the_seed(shape):
    clean, noisy = shape(20_000)[0], shape(20_000, 0.3, 5)[0]
    error = noisy - clean
    assert abs(error.std() - 0.3) < 0.01
    assert np.abs(error.mean(axis=0)).max() < 0.01
    assert 0.66 < np.mean(np.abs(error) < 0.3) < 0.70
    np.testing.assert_array_equal(noisy, shape(20_000, noise=0.3, rng=5)[0])
    assert not np.array_equal(noisy, shape(20_000, 0.3, 6)[0])
    np.testing.assert_array_equal(shape(8, 0.1, np.random.default_rng(0))[0], shape(8, 0.1, np.random.default_rng(0))[0])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"n": 1}, ValueError, ["n must be", "at least 2", "1"]),
        ({"n": True}, TypeError, ["n must be", "True"]),
        ({"n": 2.5}, ValueError, ["n must be", "2.5"]),
        ({"noise": -0.1}, ValueError, ["noise must be", "-0.1"]),
        ({"noise": np.nan}, ValueError, ["noise must be", "nan"]),
        ({"noise": "some"}, TypeError, ["noise must be", "'some'"]),
        ({"rng": "seed"}, TypeError, ["rng must be", "'seed'"]),
    ],
)
def test_refused(shape, arguments, error, words):
    assert_refused(lambda: shape(**arguments), error, words)
