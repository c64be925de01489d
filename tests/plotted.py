"""What tests of pictures share: a network of XOR, runs with a history without any training, and what is read off axes."""

import numpy as np
from matplotlib.text import Text

import fastgd
from fastgd.options import Options
from fastgd.training.history import History

XOR = fastgd.data.gate("xor")
NET = fastgd.MLP(2, 2, 1)
# found by training, rounded: a network of XOR
PARAMS = NET.pack([([[-6.8, -6.8], [5.3, 5.3]], [2.8, -8.2]), ([[-11.0, -12.0]], [5.7])])


def run_of(net=NET, params=PARAMS, epochs=(0, 10), costs=(0.5, 0.1), validation=None, **values):
    """A Run with this history, as training leaves it behind, without any training."""
    history = History(np.array(epochs), np.array(costs, float), None if validation is None else np.array(validation, float))
    return fastgd.Run(net, params, costs[-1], epochs[-1], 0.0, "matrix", 0, "epochs", history, Options().to_dict(), **values)


def texts(ax):
    return [text.get_text() for text in ax.findobj(Text) if text.get_text()]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def line(ax, label):
    """Points of a line, (points, 2)."""
    (found,) = (one for one in ax.get_lines() if one.get_label() == label)
    return np.asarray(found.get_xydata())


RUN = run_of()
