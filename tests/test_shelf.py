"""The shelf: what was bound for a call is kept for the next one of its kind, alone, and not without bound."""

import weakref

import numpy as np

import fastgd
from fastgd.kernels.forward_pass import ForwardPass
from fastgd.kernels.shelf import Shelf, shelf


class Thing:
    def __init__(self, nbytes):
        self.nbytes = nbytes


def test_a_shelf_keeps_so_much():
    """A thing is one caller's until it is put back, and what is kept is bounded by its number and by its bytes."""
    kept = Shelf()
    first, second = (kept.take("a", lambda: Thing(1)) for _ in range(2))
    assert first is not second
    kept.put_back("a", first)
    kept.put_back("a", second)
    assert {kept.take("a", lambda: Thing(1)) for _ in range(2)} == {first, second}
    things = weakref.WeakSet()
    for size in (2**10, 2**25):
        for key in range(200):
            thing = kept.take((size, key), lambda size=size: Thing(size))
            things.add(thing)
            kept.put_back((size, key), thing)
            del thing
            assert sum(one.nbytes for one in things) <= 2**26
            assert len(things) <= 64
    huge = Thing(2**40)
    kept.put_back("huge", huge)
    assert kept.take("huge", lambda: Thing(0)) is not huge


def test_equal_networks_share_what_is_kept(monkeypatch):
    """It is found by what the network is, and made once."""
    made, begin = [], ForwardPass.__init__
    monkeypatch.setattr(ForwardPass, "__init__", lambda self, net: (made.append(net), begin(self, net))[1])
    shelf.clear()
    for _ in range(3):
        net = fastgd.MLP(3, 3, 1, activation="tanh")
        net.predict(np.zeros(net.n_params), np.zeros((5, 3)))
    assert len(made) == 1
    other = fastgd.MLP(3, 3, 1, activation="sin")
    other.predict(np.zeros(net.n_params), np.zeros((5, 3)))
    assert made == [net, other]
