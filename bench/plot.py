"""The scaling bench as a picture: log time by log size, with the fitted lines."""

from pathlib import Path
from typing import Any

COLORS = {"fastgd matrix": "#c0392b", "JAX": "#2c6fbb"}
AXES = {"parameters": "parameters (three layers, 32 rows)", "rows": "rows (2-16-1, full batch)"}


def draw(scaling: dict[str, Any], file: Path) -> None:
    """Write an SVG; ImportError without matplotlib, which the extra `bench` has."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "fastgd", "font.size": 10})
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
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
    facts = scaling["facts"]
    figure.suptitle(f"{facts['machine']}, {scaling['threads']} threads, float32, {facts['date']}", fontsize=9)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
