"""The same work in PyTorch, eager, as its tutorials write it."""

import time

import torch
from protocol import choose_threads, pack, read_problem, serve
from torch import nn

problem = read_problem()
X, Y = torch.tensor(problem.X), torch.tensor(problem.Y)
if problem.loss == "cross_entropy":
    Y = Y.argmax(dim=1)

ACTIVATIONS = {"identity": [], "sigmoid": [nn.Sigmoid()], "tanh": [nn.Tanh()], "relu": [nn.ReLU()], "gelu": [nn.GELU()], "softmax": []}
LOSSES = {
    "squared_error": lambda a, y: ((a - y) ** 2).sum(dim=1).mean(),
    "cross_entropy": nn.CrossEntropyLoss(),  # which takes z
    "huber": lambda a, y: nn.functional.huber_loss(a, y, reduction="none").sum(dim=1).mean(),
}
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def network():
    layers = []
    for (W, b), activation in zip(problem.unpack(problem.initial), problem.activations, strict=True):
        linear = nn.Linear(W.shape[1], W.shape[0], dtype=X.dtype)
        linear.weight.data, linear.bias.data = torch.tensor(W), torch.tensor(b)
        layers += [linear, *ACTIVATIONS[activation]]
    return nn.Sequential(*layers)


def batches(shuffle):
    """(x, y) of every batch of an epoch."""
    if problem.batch == problem.n:
        yield X, Y
    elif shuffle:
        for rows in torch.randperm(problem.n).split(problem.batch):
            yield X[rows], Y[rows]
    else:
        yield from zip(X.split(problem.batch), Y.split(problem.batch), strict=True)


def train(epochs, shuffle):
    torch.manual_seed(0)
    net = network()
    loss = LOSSES[problem.loss]
    optimizer = OPTIMIZERS[problem.optimizer](net.parameters(), lr=problem.rate)
    begin = time.perf_counter()
    for _ in range(epochs):
        for x, y in batches(shuffle):
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
    seconds = time.perf_counter() - begin
    return seconds, pack([(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in net if isinstance(layer, nn.Linear)])


choose_threads(problem.threads, torch.set_num_threads, train)
serve(train)
