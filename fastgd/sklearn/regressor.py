"""MLPRegressor: numbers predicted by a multi-layer perceptron."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from fastgd.arguments.checks import Array
from fastgd.sklearn import scores
from fastgd.sklearn.course import Score
from fastgd.sklearn.estimator import DTYPES, BaseMLP, has_partial_fit
from fastgd.sklearn.networks import Objective, network


class MLPRegressor(MultiOutputMixin, RegressorMixin, BaseMLP):  # type: ignore[misc]
    """scikit-learn's MLPRegressor, trained by fastgd, with its parameters, attributes and methods,
    and more.

    Parameters
    ----------
    loss : str
        squared_error, of which the half is taken, or poisson, as in scikit-learn, or another one of
        fastgd's.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, \
power_t, max_iter, shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, \
early_stopping, validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun
        As in scikit-learn.
    l1, dropout, optimizer, schedule, dtype, threads, checkpoint, n_members
        As in MLPClassifier.

    Attributes
    ----------
    coefs_, intercepts_, loss_, best_loss_, loss_curve_, validation_scores_, \
best_validation_score_, t_, n_features_in_, feature_names_in_, n_iter_, n_layers_, n_outputs_, \
out_activation_
        As in scikit-learn.
    run_ : fastgd.Run
        Network, parameters and history as fastgd has them. Its costs are of the data alone, and
        those of squared errors are not halved.
    runs_ : list of these, one of each member

    Examples
    --------
    >>> from fastgd.sklearn import MLPRegressor
    >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> y = np.sin(3 * X).ravel()
    >>> model = MLPRegressor(activation="tanh", solver="lbfgs", max_iter=2000, random_state=0)
    >>> bool(model.fit(X, y).score(X, y) > 0.999)
    True
    """

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
        l1: Any = 0.0,
        dropout: Any = 0.0,
        optimizer: Any = None,
        schedule: Any = None,
        dtype: Any = "auto",
        threads: int | None = None,
        checkpoint: Any = None,
        n_members: int = 1,
    ):
        self._keep(locals())

    # -- what it asks of BaseMLP

    def _validated(self, X: Any, y: Any, *, reset: bool, incremental: bool) -> tuple[Array, Array]:
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, y_numeric=True, dtype=DTYPES,
            reset=reset,
        )  # fmt: skip
        if y.dtype.kind in "mMV":  # which NumPy would take for numbers
            raise TypeError(f"y must be numbers; got an array of dtype {y.dtype}")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _targets(self, y: Array, dtype: np.dtype[Any]) -> Array:
        return np.ascontiguousarray(y.reshape(len(y), -1), dtype)

    def _objective(self, p: SimpleNamespace, inputs: int, Y: Array) -> Objective:
        return network(p, inputs, Y.shape[1], "identity", p.loss, Y.dtype)

    def _class_weights(self, y: Array) -> Array | None:
        return None

    def _score_of(self) -> Score:
        return scores.r2

    def _judged(self, outputs: Array, y: Any, weights: Any) -> float:
        weights = None if weights is None else np.asarray(weights)
        return scores.r2(outputs, np.asarray(y).reshape(len(outputs), -1), weights)

    def _strata(self, Y: Array) -> Array | None:
        return None

    # -- scikit-learn's methods

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """Train to predict y, (n,) or (n, outputs), of X, (n, features).

        X may be sparse, and is made dense. Rows weigh `sample_weight`, (n,), if it is given.
        """
        return self._fit(X, y, sample_weight)

    @available_if(has_partial_fit)  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Train for one epoch on these rows."""
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: ArrayLike) -> Array:
        """The outputs for rows of X, (n,) or (n, outputs)."""
        outputs = self._outputs(X)
        return outputs.ravel() if outputs.shape[1] == 1 else outputs
