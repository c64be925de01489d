"""Time of one update, case by case: `pytest bench --benchmark-enable`. Without that option, the correctness checks alone."""

import pytest
from cases import CASES, Case
from competitors import KINDS, Competitor, Unavailable, competitor

ROUNDS = 5


class Clock:
    """A clock that moves by what competitors say their loops took, divided by their updates."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def train(self, one: Competitor, case: Case) -> None:
        self.now += one.train(case.timed_epochs, case.shuffled).seconds / (case.timed_epochs * case.updates)


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
    benchmark.group = case.name
    benchmark.pedantic(CLOCK.train, (one, case), rounds=ROUNDS, warmup_rounds=1)
