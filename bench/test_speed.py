"""Time of one update, case by case: `pytest bench --benchmark-enable`. Without that option, the correctness checks alone."""

import pytest
from cases import CASES, Case
from compare import QUICK_SECONDS, epochs_in
from competitors import KINDS, Competitor, competitor
from unavailable import Unavailable

ROUNDS = 5


class Clock:
    """A clock that moves by what competitors say their loops took, divided by their updates."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def train(self, one: Competitor, case: Case, epochs: int) -> None:
        self.now += one.train(epochs, case.shuffled).seconds / (epochs * case.updates)


CLOCK = Clock()


@pytest.fixture
def one(case, kind):
    try:
        with competitor(kind, case) as checked:
            yield checked
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.benchmark(timer=CLOCK)
def test_update(case, one, benchmark):
    epochs = epochs_in(QUICK_SECONDS, one, case) if benchmark.enabled else 1
    benchmark.group = case.name
    benchmark.pedantic(CLOCK.train, (one, case, epochs), rounds=ROUNDS, warmup_rounds=1)
