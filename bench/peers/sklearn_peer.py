"""The same work by scikit-learn's MLPClassifier, or MLPRegressor for squared error: `fit` goes on from the given parameters."""

import time
import warnings
from functools import partial

import numpy as np
from protocol import choose_threads, pack, read_problem, serve
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

warnings.simplefilter("ignore", ConvergenceWarning)  # it would like more epochs
problem = read_problem()
X = problem.X
classes = problem.loss == "cross_entropy"
Y = problem.Y.argmax(axis=1) if classes else problem.Y
(activation,) = set(problem.activations[:-1]) or {"identity"}  # of the hidden layers

rate = problem.rate
if problem.loss == "squared_error" and problem.optimizer == "sgd":
    rate *= 2  # scikit-learn halves the squared error, which Adam does not notice


def estimator(epochs, shuffle):
    kind = MLPClassifier if classes else MLPRegressor
    model = kind(
        hidden_layer_sizes=problem.widths[1:-1],
        activation="logistic" if activation == "sigmoid" else activation,
        solver=problem.optimizer,
        alpha=0.0,
        batch_size=problem.batch,
        learning_rate_init=rate,
        momentum=0.0,
        max_iter=epochs,
        shuffle=shuffle,
        random_state=0,
        tol=0.0,
        n_iter_no_change=epochs + 1,
        warm_start=True,
    )
    model.partial_fit(X, Y, **({"classes": np.arange(problem.widths[-1])} if classes else {}))  # makes all that a warm start finds
    layers = problem.unpack(problem.initial)
    model.coefs_ = [W.T.copy() for W, _ in layers]
    model.intercepts_ = [b.copy() for _, b in layers]
    return model


def train(epochs, shuffle):
    model = estimator(epochs, shuffle)
    begin = time.perf_counter()
    model.fit(X, Y)
    seconds = time.perf_counter() - begin
    assert model.n_iter_ == epochs
    return seconds, pack([(W.T, b) for W, b in zip(model.coefs_, model.intercepts_, strict=True)])


choose_threads(problem.threads, partial(threadpool_limits, user_api="blas"), train)
serve(train)
