"""The whole programs of bench/start.py by scikit-learn; those that it has no such network for end with status 3."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from start_protocol import answer

warnings.simplefilter("ignore", ConvergenceWarning)  # it would like more epochs


def predict(X, params):
    model = MLPRegressor(hidden_layer_sizes=(32, 16), activation="tanh", max_iter=1).fit(X, X)  # which makes all that a prediction asks for
    model.coefs_, model.intercepts_, start = [], [], 0
    for inputs, outputs in [(4, 32), (32, 16), (16, 4)]:
        stop = start + outputs * inputs
        model.coefs_.append(np.ascontiguousarray(params[start:stop].reshape(outputs, inputs).T))
        model.intercepts_.append(params[stop : stop + outputs])
        start = stop + outputs
    return np.abs(model.predict(X[:1])).sum()


def classes(hidden, rate, epochs, batch_size, X, labels, X_test, labels_test):
    X, X_test = X.astype(np.float32), X_test.astype(np.float32)
    model = MLPClassifier(
        hidden_layer_sizes=(hidden,), alpha=0.0, learning_rate_init=rate, batch_size=batch_size or len(X), max_iter=epochs, tol=0.0,
        n_iter_no_change=epochs + 1, random_state=0,
    )  # fmt: skip
    model.fit(X, labels)
    assert model.n_iter_ == epochs
    return model.score(X_test, labels_test)


def lbfgs(X, Y):
    model = MLPRegressor(
        hidden_layer_sizes=(8,), activation="tanh", solver="lbfgs", alpha=0.0, max_iter=200, tol=0.0, random_state=0
    )  # fmt: skip
    model.fit(X, Y[:, 0])
    return 2 * model.loss_  # it halves the squared error


answer(globals())
