"""The whole programs of bench/start.py by PyTorch, eager, as its tutorials write them."""

import numpy as np
import torch
from start_protocol import answer
from torch import nn

torch.set_num_threads(1)  # which is faster in works of this size
XOR = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), torch.tensor([[0.0], [1.0], [1.0], [0.0]])


def predict(X, params):
    net = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 4)).double()
    nn.utils.vector_to_parameters(torch.tensor(params), net.parameters())
    with torch.no_grad():
        return float(net(torch.tensor(X[:1])).abs().sum())


def xor():
    torch.manual_seed(3)
    X, Y = XOR
    net = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1), nn.Sigmoid())
    optimizer = torch.optim.SGD(net.parameters(), lr=3.0)
    for _ in range(10_000):
        optimizer.zero_grad()
        ((net(X) - Y) ** 2).sum(dim=1).mean().backward()
        optimizer.step()
    with torch.no_grad():
        return float((net(X) - Y).abs().max())


def many():
    """All members at once, as products of batches of matrices."""
    torch.manual_seed(0)
    X, Y = XOR
    W1, b1, W2, b2 = (torch.nn.init.uniform_(torch.empty(64, *shape), -1, 1).requires_grad_() for shape in [(2, 2), (1, 2), (2, 1), (1, 1)])
    params = [W1, b1, W2, b2]
    optimizer = torch.optim.SGD(params, lr=3.0)

    def outputs():
        return torch.sigmoid(torch.baddbmm(b2, torch.sigmoid(torch.baddbmm(b1, X.expand(64, 4, 2), W1)), W2))

    for _ in range(10_000):
        optimizer.zero_grad()
        ((outputs() - Y) ** 2).sum(dim=2).mean(dim=1).sum().backward()
        optimizer.step()
    with torch.no_grad():
        return float(((outputs() - Y).abs().amax(dim=(1, 2)) < 0.1).float().mean())


def classes(hidden, rate, epochs, batch_size, X, labels, X_test, labels_test):
    torch.manual_seed(0)
    X, labels = torch.tensor(X, dtype=torch.float32), torch.tensor(labels)
    net = nn.Sequential(nn.Linear(X.shape[1], hidden), nn.ReLU(), nn.Linear(hidden, int(labels.max()) + 1))
    optimizer, loss = torch.optim.Adam(net.parameters(), lr=rate), nn.CrossEntropyLoss()
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(batch_size or len(X)):
            optimizer.zero_grad()
            loss(net(X[rows]), labels[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        return np.mean(net(torch.tensor(X_test, dtype=torch.float32)).argmax(dim=1).numpy() == labels_test)


def lbfgs(X, Y):
    from scipy.optimize import minimize

    torch.manual_seed(0)
    X, Y = torch.tensor(X), torch.tensor(Y)
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)).double()

    def cost(flat):
        nn.utils.vector_to_parameters(torch.tensor(flat), net.parameters())
        net.zero_grad()
        value = ((net(X) - Y) ** 2).sum(dim=1).mean()
        value.backward()
        return float(value), nn.utils.parameters_to_vector(parameter.grad for parameter in net.parameters()).numpy()

    first = nn.utils.parameters_to_vector(net.parameters()).detach().numpy().copy()
    return minimize(cost, first, jac=True, method="L-BFGS-B", options={"maxiter": 200}).fun


answer(globals())
