"""The measured numbers in the docs and the README, and as plots: `python bench/report.py [--measure]`.

Everything between the two marks of a page is written here, from results/; nothing is typed by hand.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import compare
import grid
import results
import scaling
import start
from competitors import OUR_KERNELS
from plot import draw, draw_grid
from programs import LIBRARIES
from tables import curve_lines, fact_lines, first_call_lines, markdown, work_lines

HERE = Path(__file__).parent
ROOT = HERE.parent
BEGIN, END = "<!-- written by bench/report.py -->", "<!-- end of what bench/report.py wrote -->"
HEADLINES = (  # works of the README
    "NAND, gradient descent",
    "XOR 2-2-1, Adam",
    "2-16-1, batch 32 of 1024, float32",
    "784-128-10, batch 64 of 4096, float32",
    "digits 64-100-10 relu, batch 32, Adam, float32",
)


def summary(saved: dict[str, Any]) -> Iterator[str]:
    """Lines of the README: a few works."""
    facts, works = saved["comparison"]["facts"], {work["work"]: work for work in saved["comparison"]["works"]}
    processor, day = facts["machine"].rpartition(", ")[2], facts["date"].split()[0]
    yield f"Time of one update on {processor}, {day}; in brackets fastgd's as a fraction of the peer's:"
    yield ""
    yield from markdown([works[name] for name in HEADLINES], ["textbook C", "JAX", "PyTorch", "scikit-learn"])


def section(saved: dict[str, Any]) -> Iterator[str]:
    """Lines of the page on speed, of all that was saved."""
    comparison, scaling, programs = saved["comparison"], saved["scaling"], saved["start"]
    facts = comparison["facts"]
    libraries = ", ".join(f"{kind} {facts[kind]}" for kind in LIBRARIES)
    yield f"On {facts['machine']}, {facts['date']}, Python {facts['python']}, numba {facts['numba']}, {libraries}."
    yield ""
    yield f"Time of one update, the median of {comparison['rounds']} rounds; in brackets fastgd's as a fraction of the peer's, likewise:"
    yield ""
    yield from markdown(comparison["works"])
    yield from ("", "![time by parameters and by rows](../../bench/scaling.svg)", "")
    for what, family in scaling["families"].items():
        slopes = " and ".join(f"{slope:.2f} for {kind}" for kind, (slope, _) in family["lines"].items())
        yield f"Time grows with {what} to the power of {slopes}, over the last thousandfold."
    if "grid" in saved:
        yield from grid.markdown(saved["grid"])
    yield from ("", "Whole programs, from the start of Python to the last result; in brackets fastgd's time as a fraction of the peer's.")
    yield f"Fresh is with empty caches; on {programs['facts']['date']}, ready-made {programs['facts']['ready-made']}:"
    yield ""
    yield from start.markdown(programs)
    yield from ("", "The first training of a process, compiling included:", "", "```none")
    yield from first_call_lines(programs["first_calls"])
    yield from ("```", "", "<details><summary>Machine, versions, fastest rounds, both kernels</summary>", "", "```none")
    yield from fact_lines(facts)
    yield ""
    yield from work_lines(comparison["works"], OUR_KERNELS)
    for work in comparison["works"]:
        yield from curve_lines(work)
    yield from ("```", "", "</details>")


def replaced(text: str, lines: Iterator[str]) -> str:
    """`text` with these lines between its marks."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return "\n".join([before + BEGIN, *lines, END + after])


PAGES = {"README.md": summary, "docs/understand/speed.md": section}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true", help="measure first, as each bench does with --save")
    options = parser.parse_args()
    if options.measure:
        results.save("comparison", compare.measure(quick=False, name=""))
        results.save("scaling", scaling.measure(quick=False))
        results.save("start", start.measure(quick=False, name=""))
        results.save("grid", grid.measure(quick=False, pattern="", peers=grid.PEERS))
    saved = results.saved()
    for name, lines in PAGES.items():
        path = ROOT / name
        path.write_text(replaced(path.read_text(encoding="utf-8"), lines(saved)), encoding="utf-8")
    draw(saved["scaling"], HERE / "scaling.svg")
    if "grid" in saved:
        draw_grid(saved["grid"], HERE / "grid.svg")


if __name__ == "__main__":
    main()
