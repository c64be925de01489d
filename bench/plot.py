"""What was saved as pictures: time by size with the fitted lines, and the ratios of the grid."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COLORS = {"fastgd matrix": "#c0392b", "JAX": "#2c6fbb"}
AXES = {"parameters": "parameters (three layers, 32 rows)", "rows": "rows (2-16-1, full batch)"}
OF_BATCHES = ("#440154", "#3b528b", "#21918c", "#5ec962", "#e8a500")  # from one row to all
MARKS = {"sgd": "o", "adam": "^"}


@contextmanager
def _panels(file: Path, title: str, count: int) -> Iterator[Any]:
    """So many axes beside each other, which are written as an SVG; ImportError without matplotlib, which the extra `bench` has."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "fastgd", "font.size": 10})
    figure, panels = plt.subplots(1, count, figsize=(9, 3.8), sharey=True, layout="constrained", squeeze=False)
    yield panels[0]
    figure.suptitle(title, fontsize=9)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


def draw(scaling: dict[str, Any], file: Path) -> None:
    """Log time by log size, of the scaling bench."""
    facts = scaling["facts"]
    title = f"{facts['machine']}, {scaling['threads']} threads, float32, {facts['date']}"
    with _panels(file, title, 2) as panels:
        for axes, (what, family) in zip(panels, scaling["families"].items(), strict=True):
            sizes = family["sizes"]
            for kind, nanoseconds in family["nanoseconds"].items():
                slope, unit = family["lines"][kind]
                color, label = COLORS[kind], f"{kind}, exponent {slope:.2f}"
                axes.loglog(sizes, [1e-9 * time for time in nanoseconds], "o", markersize=4, color=color, label=label)
                ends = [max(sizes) / 1000, max(sizes)]
                axes.loglog(ends, [1e-9 * unit * size**slope for size in ends], "-", linewidth=1, color=color)
            axes.set_xlabel(AXES[what])
            axes.minorticks_off()
            axes.grid(alpha=0.3)
            axes.legend(loc="upper left", frameon=False)
        panels[0].set_ylabel("seconds an epoch")


def draw_grid(grid: dict[str, Any], file: Path) -> None:
    """A mark for each work of the grid: log ratio by log parameters, a color for each batch, hollow for float64."""
    works, facts = grid["works"], grid["facts"]
    peers = list(dict.fromkeys(peer for work in works for peer in work["ratios"]))
    batches = list(dict.fromkeys(work["batch"] for work in works))
    with _panels(file, f"{facts['machine']}, {grid['threads']} threads, {facts['date']}", len(peers)) as panels:
        for axes, peer in zip(panels, peers, strict=True):
            axes.axhline(1, color="black", linewidth=0.8)
            for work in works:
                color = OF_BATCHES[batches.index(work["batch"])]
                fill = color if work["dtype"] == "float32" else "none"
                place = work["parameters"], work["ratios"].get(peer, float("nan"))
                axes.loglog(*place, MARKS[work["optimizer"]], markersize=4, markeredgewidth=0.8, color=color, markerfacecolor=fill)
            axes.set_xlabel(f"parameters, beside {peer}")
            axes.minorticks_off()
            axes.grid(alpha=0.3)
        for batch, color in zip(batches, OF_BATCHES, strict=True):
            panels[0].plot([], [], "o", markersize=4, color=color, label=f"batch {batch}" if batch else "all rows")
        for optimizer, mark in MARKS.items():
            panels[0].plot([], [], mark, markersize=4, color="gray", label=f"{optimizer}, float32")
        panels[0].plot([], [], "o", markersize=4, color="gray", markerfacecolor="none", label="float64")
        panels[0].figure.legend(loc="outside lower center", fontsize=8, frameon=False, ncols=8)
        panels[0].set_ylabel("fastgd's time over the peer's")
