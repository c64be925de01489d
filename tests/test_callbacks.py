"""Callbacks: several as one, and what they are told in the end."""

import pytest
from conftest import assert_refused

import fastgd

X, Y = fastgd.data.gate("xor")
NET = fastgd.MLP(2, 2, 1)


def train(epochs=40, **options):
    return fastgd.train(NET, X, Y, epochs, 0.5, rng=0, **{"kernel": "matrix"} | options)


class Ended:
    """A callback that keeps what it is told in the end."""

    def __init__(self, answer=None):
        self.answer, self.told, self.runs = answer, 0, []

    def __call__(self, progress):
        self.told += 1
        return self.answer

    def ended(self, run):
        self.runs.append(run)


@pytest.mark.usefixtures("single_updates")
def test_several_callbacks_are_told_everything():
    stops, goes_on = Ended(True), Ended()
    run = train(callback=[stops, goes_on])
    assert (run.stopped_by, run.epochs) == ("callback", 1)
    assert (stops.told, goes_on.told) == (1, 1)
    assert stops.runs == goes_on.runs == [run]
    assert train(callback=[]) == train()


def test_what_is_no_list_of_callbacks_is_refused(no_compiled_code):
    for callback in (3, [3], [train, None], {"a": train}):
        assert_refused(lambda callback=callback: train(callback=callback), TypeError, ["callback", "a list of functions"])


def test_ended_is_told_of_many_members():
    kept = Ended()
    runs = fastgd.train_many(NET, X, Y, 30, members=3, rng=0, callback=kept)
    assert kept.runs == [runs]


def test_ended_is_told_of_members_trained_elsewhere():
    joblib = pytest.importorskip("joblib")
    kept = Ended()
    with joblib.parallel_config("threading", n_jobs=1):
        runs = fastgd.train_many(NET, X, Y, 30, members=3, rng=0, callback=kept, client="joblib", kernel="matrix")
    assert kept.runs == [runs]


def test_ended_after_an_error():
    def fails(progress):
        raise LookupError("mine")

    kept = Ended()
    with pytest.raises(LookupError, match="mine"):
        train(callback=[kept, fails])
    assert kept.runs == [None]
    net = fastgd.MLP(1, 1, activation="identity")
    with pytest.raises(fastgd.DivergedError) as caught:
        fastgd.train(net, *fastgd.data.twice(), 1000, 1e3, rng=0, callback=kept)
    assert kept.runs[1] is caught.value.run


def test_what_ended_raises_loses_nothing(path):
    class Broken(Ended):
        def ended(self, run):
            raise OSError(28, "No space left on device")

    with pytest.warns(RuntimeWarning, match=r"callback\.ended has failed: No space left on device"):
        run = train(callback=[Broken(), kept := Ended()], checkpoint=path)
    assert kept.runs == [run]
    assert fastgd.load_run(path) == run == train()
