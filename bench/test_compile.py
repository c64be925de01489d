"""The first call as whole processes: from an empty cache, which compiles, and from a warm one. Without timing, that the cache works."""

import pytest
from competitors import OUR_KERNELS
from processes import NETWORKS, empty_cache, train_in_process


@pytest.fixture(scope="module", params=[(gate, kernel) for gate in NETWORKS for kernel in OUR_KERNELS], ids="-".join)
def work(request):
    with empty_cache() as cache:
        yield *request.param, cache


@pytest.mark.benchmark(group="whole process")
def test_empty_cache(work, benchmark):
    cache = work[-1]
    benchmark.pedantic(train_in_process, work)
    assert list(cache.rglob("*.kernel"))


@pytest.mark.benchmark(group="whole process")
def test_warm_cache(work, benchmark):
    cache = work[-1]
    if not cache.exists():  # this test alone was asked for
        train_in_process(*work)
    before = sorted(cache.rglob("*.kernel"))
    benchmark.pedantic(train_in_process, work, rounds=5 if benchmark.enabled else 1)
    assert sorted(cache.rglob("*.kernel")) == before
