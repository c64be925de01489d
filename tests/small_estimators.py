"""Estimators that are fitted in milliseconds."""

from fastgd.sklearn import MLPClassifier


def small(kind=MLPClassifier, **parameters):
    return kind(**{"hidden_layer_sizes": (6,), "max_iter": 15, "random_state": 0} | parameters)
