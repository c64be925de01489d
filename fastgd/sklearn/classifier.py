"""MLPClassifier: classes, or 0/1 labels, told by a multi-layer perceptron."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target
from sklearn.utils.validation import validate_data

from fastgd.arguments.checks import Array
from fastgd.data.table import Table
from fastgd.sklearn import scores
from fastgd.sklearn.course import Score
from fastgd.sklearn.estimator import DTYPES, BaseMLP, has_partial_fit
from fastgd.sklearn.labels import Labels, Levels
from fastgd.sklearn.networks import Objective, network

_NAMED = ({str}, {int})  # kinds of labels that files and exports have


def _tells_probabilities(estimator: Any) -> bool:
    """Whether outputs are probabilities; an AttributeError says why not."""
    if not _levels(estimator).are_probabilities:
        raise AttributeError(
            f"probability estimates are not available for loss={estimator.loss!r}, "
            "decision_function is"
        )
    return True


def _tells_scores(estimator: Any) -> bool:
    """Whether outputs are scores; an AttributeError says why not."""
    if _levels(estimator).are_probabilities:
        raise AttributeError(
            f"decision_function is not available for loss={estimator.loss!r}, predict_proba is"
        )
    return True


def _levels(estimator: Any) -> Levels:
    """Those of its loss; of one that is none, which `fit` refuses, those of log_loss."""
    with suppress(ValueError, TypeError):
        return Levels.of(estimator.loss)
    return Levels()


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """scikit-learn's MLPClassifier, trained by fastgd, with its parameters, attributes and methods,
    and more.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, \
power_t, max_iter, shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, \
early_stopping, validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun
        As in scikit-learn, whose initial weights, validation rows and order of rows are drawn: the
        same `random_state` gives the same network, to rounding.
    activation
        Any activation of fastgd too, or one for each hidden layer.
    loss : str or Loss
        log_loss, or one of fastgd's: for outputs between 0 and 1, such as squared_error, of which
        the half is taken; or of margins, hinge and squared_hinge, whose targets are -1 and 1, each
        class against all others. Of these there is `decision_function`, and no `predict_proba`.
    class_weight : dict, list of dicts, "balanced" or None
        What rows of each class weigh, beside `sample_weight`.
    l1 : float or one of each layer
        l1 * sign(w) is added to the gradient of weights; losses are without it.
    dropout : float or one of each hidden layer
        The share of hidden activations that are dropped in every update; losses are of all.
    optimizer : optimizer of fastgd or its name, optional
        In the place of `solver`, by the rate `learning_rate_init` or the `schedule`.
    schedule : one of fastgd.schedules, optional
        A learning rate that changes with updates, in the place of `learning_rate_init`.
    dtype : str
        auto (float32 rows train in float32, others in float64), float32 or float64.
    threads : int, optional
        Most threads that an update is shared out to; if not given, all processors where it takes
        long. Results do not depend on it.
    checkpoint : path, optional
        A file that holds the run so far, replaced every minute and at the end, for
        `fastgd.load_run`; with several members, that of the first.
    n_members : int
        So many networks are trained at once, which differ in their random states; predictions are
        by the mean of their outputs. Attributes are of the first, which is the one that would be
        trained alone; `runs_` has all.

    Attributes
    ----------
    classes_, coefs_, intercepts_, loss_, best_loss_, loss_curve_, validation_scores_, \
best_validation_score_, t_, n_features_in_, feature_names_in_, n_iter_, n_layers_, n_outputs_, \
out_activation_
        As in scikit-learn.
    run_ : fastgd.Run
        Network, parameters and history as fastgd has them. Its costs are of the data alone. Files
        and exports of it have the classes, where these are text or whole numbers, but for two
        classes by margins.
    runs_ : list of these, one of each member

    Examples
    --------
    >>> from fastgd.sklearn import MLPClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), learning_rate_init=0.01, max_iter=500, random_state=0)
    >>> bool(model.fit(X, y).score(X, y) > 0.95)
    True
    >>> model.run_.epochs == model.n_iter_
    True
    """

    def __init__(
        self,
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
        loss: Any = "log_loss",
        class_weight: Any = None,
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
            self, X, y, accept_sparse="csr", multi_output=True, dtype=DTYPES, reset=reset
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        there = Labels.of(y)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._labels, self.classes_ = there, there.classes
        elif self.warm_start:
            if set(there.classes) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous "
                    f"call to fit. Previously got {self.classes_}, `y` has {there.classes}"
                )
        elif len(np.setdiff1d(there.classes, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {there.classes}."
            )
        return X, y

    def _targets(self, y: Array, dtype: np.dtype[Any]) -> Array:
        return self._labels.targets(y, dtype, Levels.of(self.loss))

    def _objective(self, p: SimpleNamespace, inputs: int, Y: Array) -> Objective:
        exclusive, loss = self._labels.are_exclusive, p.loss
        output = "softmax" if exclusive else "sigmoid"
        if Levels.of(loss).low < 0:
            output = "identity"
        if isinstance(loss, str) and loss == "log_loss":
            loss = "cross_entropy" if exclusive else "binary_cross_entropy"
        return network(p, inputs, Y.shape[1], output, loss, Y.dtype)

    def _class_weights(self, y: Array) -> Array | None:
        if self.class_weight is None:
            return None
        weights: Array = compute_sample_weight(self.class_weight, y)
        return weights

    def _score_of(self) -> Score:
        if self._labels.are_exclusive:
            return scores.of_classes
        is_single = not self._labels.are_several and len(self.classes_) == 1
        return partial(scores.of_labels, middle=np.inf if is_single else _levels(self).middle)

    def _judged(self, outputs: Array, y: Any, weights: Any) -> float:
        told = self._labels.told(outputs, _levels(self))
        right = told == np.asarray(y).reshape(told.shape)
        return float(np.average(right.all(axis=1) if right.ndim == 2 else right, weights=weights))

    def _strata(self, Y: Array) -> Array | None:
        return Y if Y.shape[1] == 1 else None

    def _table(self) -> dict[str, Any] | None:
        """The features and the classes, as they are; of labels that are text or whole numbers, and
        outputs that tell them as files and exports have it.
        """
        classes = tuple(self.classes_.tolist())
        if not self._labels.are_exclusive and _levels(self).middle != 0.5:
            return None
        if self._labels.are_several or len(classes) < 2 or {*map(type, classes)} not in _NAMED:
            return None
        n = self.n_features_in_
        inputs = getattr(self, "feature_names_in_", [f"x{k}" for k in range(n)])
        outputs = len(classes) if self._labels.are_exclusive else 1
        shift, scale = (0.0,) * n, (1.0,) * n
        table = Table(tuple(map(str, inputs)), ("y",), classes, outputs, shift, scale, (), ())
        return table.to_dict()

    # -- scikit-learn's methods

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """Train to tell y, (n,) classes or (n, labels) of 0 and 1, of X, (n, features).

        X may be sparse, and is made dense. Rows weigh `sample_weight`, (n,), if it is given.
        """
        return self._fit(X, y, sample_weight)

    @available_if(has_partial_fit)  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> Any:
        """Train for one epoch on these rows. The first call is told all `classes` that there will
        be.
        """
        if _check_partial_fit_first_call(self, classes):
            several = type_of_target(y) == "multilabel-indicator"
            self._labels = Labels(self.classes_, several)
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: ArrayLike) -> Array:
        """The classes of rows, (n,), or their labels, (n, labels)."""
        outputs = self._outputs(X)
        return self._labels.told(outputs, _levels(self))

    @available_if(_tells_scores)  # type: ignore[untyped-decorator]
    def decision_function(self, X: ArrayLike) -> Array:
        """How far an output is above what says no more than its opposite: of two classes (n,),
        above 0 for the second one; otherwise (n, classes), of which the largest is told, or (n,
        labels).
        """
        scores = self._outputs(X) - _levels(self).middle
        return scores[:, 0] if self.n_outputs_ == 1 and not self._labels.are_several else scores

    @available_if(_tells_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: ArrayLike) -> Array:
        """The probability of each class, in the order of `classes_`, or of each label: (n,
        classes).
        """
        outputs = self._outputs(X)
        if self.n_outputs_ == 1:
            return np.concatenate([1 - outputs, outputs], axis=1)
        return outputs

    @available_if(_tells_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: ArrayLike) -> Array:
        """The logarithms of `predict_proba(X)`."""
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
