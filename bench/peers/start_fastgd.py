"""The whole programs of bench/start.py by fastgd: `start_fastgd.py WORK DATA`; prints the result that the work is judged by."""

import numpy as np
from start_protocol import answer

import fastgd


def predict(X, params):
    net = fastgd.MLP(4, 32, 16, 4, activation="tanh", output="identity")
    return np.abs(net.predict(params, X[:1])).sum()


def xor():
    X, Y = fastgd.data.gate("xor")
    run = fastgd.train(fastgd.MLP(2, 2, 1), X, Y, 10_000, 3.0, rng=1)
    return np.abs(run.predict(X) - Y).max()


def own():
    X, Y = fastgd.data.gate("xor")
    bent = fastgd.Activation(lambda z: (fastgd.numeric.sqrt(z * z + 1) - 1) / 2 + z, name="bent_identity")
    net = fastgd.MLP(2, 8, 1, activation=bent, output="sigmoid")
    run = fastgd.train(net, X, Y, 1_000, 1.0, rng=1, kernel="matrix")
    return np.abs(run.predict(X) - Y).max()


def classes(hidden, rate, epochs, batch_size, X, labels, X_test, labels_test):
    targets = np.eye(labels.max() + 1)[labels]
    net = fastgd.MLP(X.shape[1], hidden, targets.shape[1], activation="relu", output="softmax", loss="cross_entropy", dtype="float32")
    run = fastgd.train(net, X, targets, epochs, rate, rng=0, batch_size=batch_size, optimizer="adam")
    return np.mean(run.predict(X_test).argmax(axis=1) == labels_test)


def many():
    X, Y = fastgd.data.gate("xor")
    runs = fastgd.train_many(fastgd.MLP(2, 2, 1), X, Y, 10_000, 3.0, members=64, rng=0)
    return np.mean(np.abs(runs.predict(X) - Y).max(axis=(1, 2)) < 0.1)


def lbfgs(X, Y):
    from scipy.optimize import minimize

    net = fastgd.MLP(2, 8, 1, activation="tanh", output="identity")
    return minimize(net.objective(X, Y), net.init(0), jac=True, method="L-BFGS-B", options={"maxiter": 200}).fun


answer(globals())
