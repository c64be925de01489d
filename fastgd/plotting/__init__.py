"""Pictures of networks and of their training, by matplotlib: `pip install 'fastgd[plot]'`.

Each function draws into one Axes, which it returns: that of `ax=`, or one of a new figure. Nothing
is shown or written: that is for `plt.show()` and `ax.figure.savefig(...)`. What colours tell is
told by lightness, strokes or marks too, for print and for the colour-blind.
"""

from fastgd.plotting.cost_history import history
from fastgd.plotting.cost_landscape import landscape
from fastgd.plotting.gradient_bars import gradients
from fastgd.plotting.learned_shares import sweep
from fastgd.plotting.member_paths import paths
from fastgd.plotting.network_diagram import network
from fastgd.plotting.output_surface import surface
from fastgd.plotting.weight_maps import weights

__all__ = [
    "gradients", "history", "landscape", "network", "paths", "surface", "sweep", "weights",
]  # fmt: skip
