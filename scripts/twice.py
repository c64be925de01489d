"""The notes' first program: a linear model y = x w learns to double, by its derivative, notes 002 (2)-(7)."""

from argparse import ArgumentParser

import fastgd

ArgumentParser(description=__doc__).parse_args()

X, Y = fastgd.data.twice()
net = fastgd.MLP(1, 1, activation="identity", bias=False)  # (2)

for method in ("finite_difference", "backprop"):  # (1) and (7)
    run = fastgd.train(net, X, Y, epochs=500, learning_rate=0.1, params=net.init(0, "uniform"), method=method, eps=1e-3)
    print(f"{method:<18} w = {run.params[0]:.6f}   cost = {run.cost:.3e}")

w = 0.5
by_hand = sum(2 * (x * w - y) * x for x, y in zip(X[:, 0], Y[:, 0], strict=True)) / len(X)  # (7)
print(f"C'({w}) = {net.gradient([w], X, Y)[0]:g}, and by hand {by_hand:g}")
