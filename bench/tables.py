"""Measured numbers as lines of text and of Markdown."""

from collections.abc import Iterator, Sequence
from math import floor, log10
from typing import Any

UNITS = {"s": 1e9, "ms": 1e6, "µs": 1e3, "ns": 1.0}


def duration(nanoseconds: float) -> str:
    """Three digits and a unit: 6.87 µs."""
    unit = next((unit for unit, size in UNITS.items() if nanoseconds >= size), "ns")
    value = nanoseconds / UNITS[unit]
    return f"{value:.{max(0, 2 - floor(log10(value)))}f} {unit}"


def fraction(ratio: float) -> str:
    """0.36, or 1/17 where it is small."""
    return f"{ratio:.2f}" if ratio >= 0.1 else f"1/{1 / ratio:,.0f}"


def fact_lines(facts: dict[str, str]) -> Iterator[str]:
    for name, value in facts.items():
        yield f"{name:13}{value}"


def short_fact_lines(facts: dict[str, str], *more: str) -> Iterator[str]:
    """Those of the machine and of what every bench runs on, and some more by name."""
    yield from fact_lines({name: facts[name] for name in ("date", "machine", "load", "python", "numba", "numpy", *more)})


def work_lines(works: Sequence[dict[str, Any]], kernels: Sequence[str], header: bool = True) -> Iterator[str]:
    """A line for each work and competitor; beside a peer, fastgd's time as a multiple of the peer's.

    Times are the median round and the fastest one: far apart, they say that the machine was busy, and that the ratios need another run.
    Beside the fastest stands what its products and sums are of those that the processors can do from registers.
    """
    if header:
        ratios = "".join(f"{kernel + ' / it':>16}" for kernel in kernels)
        yield f"{'work':50}{'threads':>7}  {'competitor':17}{'an update':>10}{'fastest':>10}{'of peak':>9}{ratios}"
    for work in works:
        name, threads = work["work"], str(work["threads"])
        for kind, nanoseconds in work["nanoseconds"].items():
            ratios = [work["ratios"].get(f"fastgd {kernel} / {kind}") for kernel in kernels]
            line = f"{name:50}{threads:>7}  {kind:17}{duration(nanoseconds):>10}{duration(min(work['rounds'][kind])):>10}"
            line += f"{work['of_peak'][kind]:9.2f}" if work.get("of_peak") else " " * 9
            yield (line + "".join(" " * 16 if ratio is None else f"{fraction(ratio):>16}" for ratio in ratios)).rstrip()
            name = threads = ""


def curve_lines(work: dict[str, Any]) -> Iterator[str]:
    """The cost of all competitors after some epochs, each with an order of rows of its own."""
    if work["curve"]:
        yield f"{'cost of ' + work['work'] + ', after epochs':76}" + "".join(f"{epochs:10}" for epochs in work["curve"]["epochs"])
        for kind, costs in work["curve"]["costs"].items():
            yield f"{'':59}{kind:17}" + "".join(f"{cost:10.4f}" for cost in costs)


def first_call_lines(seconds: dict[str, float]) -> Iterator[str]:
    for name, value in seconds.items():
        yield f"whole process, {name}: {value:.2f} s"


def markdown(works: Sequence[dict[str, Any]], peers: Sequence[str] | None = None) -> Iterator[str]:
    """A line for each work; beside a peer's time, that of fastgd's faster kernel as a fraction of it. All peers, if none are named."""
    peers = peers or list(dict.fromkeys(kind for work in works for kind in work["nanoseconds"] if not kind.startswith("fastgd")))
    yield f"| work | threads | fastgd | {' | '.join(peers)} |"
    yield "|---|" + "--:|" * (2 + len(peers))
    for work in works:
        times = work["nanoseconds"]
        ours = min((kind for kind in times if kind.startswith("fastgd")), key=times.__getitem__)
        cells = [f"{duration(times[peer])} ({fraction(work['ratios'][f'{ours} / {peer}'])})" if peer in times else "" for peer in peers]
        yield f"| {work['work']} | {work['threads']} | **{duration(times[ours])}** | {' | '.join(cells)} |"
