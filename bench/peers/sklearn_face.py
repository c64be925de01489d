"""A program that fits one estimator and predicts: `python sklearn_face.py MODULE CLASS PARAMETERS DATA.npz`, of which the first is
sklearn.neural_network or fastgd.sklearn, and the third a dict as JSON. It prints the score of the rows that it was fitted to."""

import json
import sys
import warnings
from importlib import import_module

import numpy as np

module, name, parameters, path = sys.argv[1:]
with np.load(path) as file:
    X, y = file["X"], file["y"]
warnings.simplefilter("ignore")  # it would like more epochs
print(getattr(import_module(module), name)(**json.loads(parameters)).fit(X, y).score(X, y))
