"""Data sets of scikit-learn's, scaled."""

import pytest


@pytest.fixture(scope="session")
def iris():
    from sklearn import datasets, preprocessing

    X, y = datasets.load_iris(return_X_y=True)
    return preprocessing.scale(X), y


@pytest.fixture(scope="session")
def diabetes():
    from sklearn import datasets, preprocessing

    X, y = datasets.load_diabetes(return_X_y=True)
    return preprocessing.scale(X), preprocessing.scale(y)
