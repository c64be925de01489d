"""The notes' XOR example: a 2-2-1 network by back-propagation, notes 004 1.1 and 1.2, from several seeds and by two gradients."""

from argparse import ArgumentParser

import fastgd

ArgumentParser(description=__doc__).parse_args()

X, Y = fastgd.data.gate("xor")
net = fastgd.MLP(2, 2, 1)

print("seed  method       cost       outputs for 00, 10, 01, 11")
for seed in range(4):
    for method in ("backprop", "layerwise"):  # notes 004 1.2; notes 002 (50)-(52), a factor 2 more at the first layer
        run = fastgd.train(net, X, Y, epochs=1_000_000, learning_rate=0.1, params=net.init(seed, "uniform"), method=method)
        outputs = "  ".join(f"{a:.4f}" for a in run.predict(X)[:, 0])
        stuck = "" if run.cost < 1e-3 else "   (a local minimum)"
        print(f"{seed:>4}  {method:<10}  {run.cost:.2e}   {outputs}{stuck}")

batches = fastgd.train(net, X, Y, epochs=1_000_000, learning_rate=0.1, params=net.init(0, "uniform"), rng=0, batch_size=2)
print(f"\nin shuffled batches of 2 rows, notes 004 Algorithm 1: cost {batches.cost:.2e}")
