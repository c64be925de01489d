"""The notes' one neuron with two inputs learns AND, OR, NAND and NOR, notes 002 (8)-(22)."""

from argparse import ArgumentParser

import fastgd

ArgumentParser(description=__doc__).parse_args()

net = fastgd.MLP(2, 1)  # (8)-(10)

print("gate   epochs     cost       outputs for 00, 10, 01, 11           w1       w2        b")
for name in ("and", "or", "nand", "nor"):
    X, Y = fastgd.data.gate(name)
    run = fastgd.train(net, X, Y, epochs=1_000_000, learning_rate=0.1, params=net.init(0, "uniform"))  # gradient (20)-(22)
    outputs = "  ".join(f"{a:.4f}" for a in run.predict(X)[:, 0])  # (11)
    (w, b), *_ = net.unpack(run.params)
    print(f"{name:<5}{run.epochs:>10,}  {run.cost:.2e}   {outputs}   {w[0, 0]:>8.3f} {w[0, 1]:>8.3f} {b[0]:>8.3f}")

X, Y = fastgd.data.gate("xor")
run = fastgd.train(net, X, Y, epochs=1_000_000, learning_rate=0.1, params=net.init(0, "uniform"))
print(f"\none neuron can't learn xor: its cost stays at {run.cost:.4f} (scripts/xor.py takes three)")
