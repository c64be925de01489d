"""What notebooks show of networks and runs: small, readable without a style sheet, and without compiling."""

from xml.etree import ElementTree

import numpy as np
import pytest

import fastgd


@pytest.fixture(scope="module")
def xor():
    X, Y = fastgd.data.gate("xor")
    return fastgd.MLP(2, 2, 1), X, Y


def shown(what):
    """The pictures' titles, having looked at the whole."""
    page = what._repr_html_()
    root = ElementTree.fromstring(page)
    assert len(page) < 15_000
    assert next(root.iter("code")).text == repr(what)
    assert {each.tag.rpartition("}")[2] for each in root.iter()} <= {"div", "code", "svg", "title", "text", "path", "circle", "g"}
    assert not {name for each in root.iter() for name in each.attrib if name.startswith("on") or name in ("id", "class", "href")}
    return [each[0].text for each in root.iter("{http://www.w3.org/2000/svg}svg")]


def test_a_network(xor):
    (title,) = shown(xor[0])
    assert title == "Network of 2 inputs, hidden layers of 2 sigmoid, output of 1 sigmoid; 9 parameters, loss squared_error"


def test_a_network_compiles_nothing(python):
    program = "import fastgd, sys; fastgd.MLP(2, 2, 1)._repr_html_(); print([m for m in sys.modules if m in ('numba', 'llvmlite')])"
    assert python(program).strip() == "[]"


def test_a_run(xor):
    net, X, Y = xor
    run = fastgd.train(net, X, Y, 100, rng=0, validation=(X[:2], Y[:2]), restore_best=True)
    network, cost = shown(run)
    history = run.history
    assert network.startswith("Network of 2 inputs")
    assert cost.startswith(f"Cost over 100 epochs: training from {history.cost[0]:.4g} to {history.cost[-1]:.4g}; validation from")
    assert f"least validation cost, at epoch {run.best_epoch:,}, {run.best_cost:.4g}" in cost
    assert len(shown(fastgd.train(net, X, Y, 0, rng=0))) == 2


def test_names_of_a_table(xor):
    net, X, Y = xor
    run = fastgd.train(net, X, Y, 0, rng=0)
    table = {"inputs": ["<b>", "width"], "targets": ["kind"], "classes": ["no", "yes"]}
    page = run.with_values(table=table)._repr_html_()
    assert "&lt;b&gt;" in page
    assert "yes" in page  # which is what one output of two classes says
    assert "kind" not in page


@pytest.mark.parametrize("record", [0, 20])
def test_members(xor, record):
    net, X, Y = xor
    runs = fastgd.train_many(net, X, Y, 50, members=30, rng=0, record=record)
    _, costs = shown(runs)
    expected = "Cost of 30 members over 50 epochs: median" if record else "Final cost of 30 members: least"
    assert costs.startswith(expected)
    assert f"{np.nanmin(runs.cost):.4g}" in costs


def test_a_member_of_no_finite_cost(xor):
    net, X, Y = xor
    runs = fastgd.train_many(net, X, Y, 50, members=2, rng=0)
    runs.cost[:] = np.nan
    assert shown(runs)[1] == "No cost is finite"
