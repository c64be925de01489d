"""What both estimators share: from data and parameters to fits, and from these to attributes, by
scikit-learn's names.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from fastgd.arguments.checks import Array
from fastgd.mlp import MLP
from fastgd.network import Network
from fastgd.samples import Samples, check_targets, check_weights
from fastgd.sklearn.course import Course, Score
from fastgd.sklearn.fit import Fit
from fastgd.sklearn.lbfgs import Minimization
from fastgd.sklearn.networks import Objective, first_params, flat, layers_of
from fastgd.sklearn.parameters import CHECKS, STOCHASTIC, checked
from fastgd.sklearn.split import split
from fastgd.system.float_errors import quiet
from fastgd.training.checkpoint import checkpoint_of_run
from fastgd.training.likely_mistakes import warn_of_zeros

DTYPES = (np.float64, np.float32)
_CHECKPOINT_SECONDS = 60.0
Training = Course | Minimization


def has_partial_fit(estimator: Any) -> bool:
    """Whether the solver goes through the rows in batches; an AttributeError says why not."""
    if estimator.solver not in STOCHASTIC:
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True


class BaseMLP(BaseEstimator, ABC):  # type: ignore[misc]
    """A multi-layer perceptron in scikit-learn's terms."""

    def _keep(self, given: dict[str, Any]) -> None:
        """Parameters as they are given, among what else is there."""
        for name in CHECKS.keys() & given.keys():
            setattr(self, name, given[name])

    # -- what classifier and regressor have of their own

    @abstractmethod
    def _validated(self, X: Any, y: Any, *, reset: bool, incremental: bool) -> tuple[Array, Array]:
        """X and y as scikit-learn checks them."""

    @abstractmethod
    def _targets(self, y: Array, dtype: np.dtype[Any]) -> Array:
        """Y, (n, outputs), for the network."""

    @abstractmethod
    def _objective(self, p: SimpleNamespace, inputs: int, Y: Array) -> Objective:
        """The network, and what is minimized."""

    @abstractmethod
    def _class_weights(self, y: Array) -> Array | None:
        """(n,) weights by class, None for none."""

    @abstractmethod
    def _score_of(self) -> Score:
        """How outputs for validation rows are judged."""

    @abstractmethod
    def _judged(self, outputs: Array, y: Any, weights: Any) -> float:
        """The estimator's score of outputs."""

    @abstractmethod
    def _strata(self, Y: Array) -> Array | None:
        """(n,) by which rows are divided in even parts, None for none."""

    def _table(self) -> dict[str, Any] | None:
        """What the columns of X and y mean, as a Run keeps it; None where nothing is known."""
        return None

    # -- fitting

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool = False) -> Any:
        p = checked(self.__dict__)
        if p.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        is_first = not hasattr(self, "coefs_") or not (p.warm_start or incremental)
        objective, samples = self._prepared(p, X, y, sample_weight, is_first, incremental)
        warn_of_zeros(objective.net, samples.Y)
        random = check_random_state(self.random_state)
        fits = (self._first_fits if is_first else self._further_fits)(p, objective, random)
        if not incremental:  # as scikit-learn has a new optimizer for each
            for fit in fits:
                fit.rate = p.learning_rate_init
        training = self._training(p, objective, samples, fits)
        if incremental and not is_first and isinstance(training, Course):
            training.begun = [run.state for run in self.runs_]
        self._train(training, 1 if incremental else p.max_iter, warns=not incremental)
        self._put_down(p, objective, fits, [training.run(i) for i in range(len(fits))])
        if p.checkpoint is not None:
            self.run_.save(p.checkpoint)
        return self

    @quiet
    def _prepared(
        self, p: SimpleNamespace, X: Any, y: Any, sample_weight: Any, is_first: bool = True,
        incremental: bool = False,
    ) -> tuple[Objective, Samples]:  # fmt: skip
        """The network and the rows."""
        X, y = self._validated(X, y, reset=is_first, incremental=incremental)
        X = _dense(X)
        dtype = X.dtype if p.dtype == "auto" else np.dtype(p.dtype)
        X = np.ascontiguousarray(X, dtype)
        Y = self._targets(y, dtype)
        objective = self._objective(p, X.shape[1], Y)
        check_targets(objective.net, Y)
        weights = self._class_weights(y)
        if sample_weight is not None:
            given = _check_sample_weight(sample_weight, X)
            weights = given if weights is None else weights * given
        if weights is None:
            return objective, Samples.alike(X, Y)
        weights = np.ascontiguousarray(weights, dtype)
        check_weights(weights)
        return objective, Samples(X, Y, weights)

    def _first_fits(
        self, p: SimpleNamespace, objective: Objective, random: np.random.RandomState
    ) -> list[Fit]:
        """One of each member, of which the first is as it would be alone."""
        randoms = [random]
        if p.n_members > 1:
            others = np.random.RandomState()
            others.set_state(random.get_state())
            seeds = others.randint(2**31 - 1, size=p.n_members - 1)
            randoms += map(np.random.RandomState, seeds)
        net = objective.net
        return [Fit(p, first_params(net, p.activation, one), one) for one in randoms]

    def _further_fits(
        self, p: SimpleNamespace, objective: Objective, random: np.random.RandomState
    ) -> list[Fit]:
        """Those that go on from the attributes, and members from where they stand."""
        if p.n_members != len(self.runs_):
            raise ValueError(
                f"n_members must be {len(self.runs_)} to go on with what was fitted; got "
                f"{p.n_members}"
            )
        params = [flat(objective.net, self.coefs_, self.intercepts_)]
        params += [run.params for run in self.runs_[1:]]
        fits = [Fit(p, one, random) for one in params]
        for fit, kept in zip(fits, self._kept, strict=True):
            vars(fit).update(kept)
        return fits

    def _training(
        self, p: SimpleNamespace, objective: Objective, samples: Samples, fits: list[Fit]
    ) -> Training:
        """What brings the fits to their ends."""
        if p.solver == "lbfgs":
            return Minimization(objective, samples, fits)
        held_out = score = file = None
        if p.early_stopping:
            score, strata = self._score_of(), self._strata(samples.Y)
            samples, held_out = split(samples, p.validation_fraction, fits[0].random, strata)
        if isinstance(p.batch_size, int) and p.batch_size > len(samples.X):
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be "
                "clipped",
                stacklevel=5,
            )
        if p.checkpoint is not None:
            file = checkpoint_of_run(
                objective.net, samples, held_out, Path(p.checkpoint), _CHECKPOINT_SECONDS
            )
            file.prepare(fits[0].params.nbytes)
        return Course(
            objective, samples, fits, p.threads, held_out=held_out, score=score, checkpoint=file
        )

    @quiet
    def _train(self, training: Training, epochs: int, *, warns: bool) -> None:
        try:
            training.train(epochs)
        except KeyboardInterrupt:
            if not training.is_under_way:
                raise
            warnings.warn("Training interrupted by user.", stacklevel=6)
            return
        late = [fit for fit in training.fits if not fit.converged]
        if warns and late:
            warnings.warn(late[0].message, ConvergenceWarning, stacklevel=6)

    def _put_down(
        self, p: SimpleNamespace, objective: Objective, fits: list[Fit], runs: list[Any]
    ) -> None:
        """What there is to know of a fit, as attributes; of members, that of the first."""
        net, fit = objective.net, fits[0]
        error = not_finite(fits)
        if error is not None:
            raise error
        self.coefs_, self.intercepts_ = layers_of(net, fit.params)
        table = self._table()
        self.runs_ = [run.with_values(table=table) for run in runs]
        self.run_ = self.runs_[0]
        self.n_layers_, self.n_outputs_ = len(net.widths), net.widths[-1]
        self.out_activation_ = objective.out_activation
        self.loss_, self.n_iter_, self.t_ = fit.loss, fit.n_iter, fit.seen
        if p.solver in STOCHASTIC:
            early = p.early_stopping
            self.loss_curve_ = fit.losses
            self.best_loss_ = None if early else fit.best_loss
            self.validation_scores_ = fit.scores if early else None
            self.best_validation_score_ = fit.best_score if early else None
        self._kept = [each.kept() for each in fits]

    def _adopt(self, other: BaseMLP) -> None:
        """Have what another one has learnt of the rows before it was fitted."""
        for name, value in vars(other).items():
            if name not in CHECKS:
                setattr(self, name, value)

    # -- predicting

    def _outputs(self, X: Any) -> Array:
        """The outputs of the network, (n, outputs), or the mean of those of its members."""
        check_is_fitted(self)
        net = self.run_.net
        params = [flat(net, self.coefs_, self.intercepts_)]
        params += [run.params for run in self.runs_[1:]]
        return self._mean_outputs(net, params, self._rows_of(X, net))

    def _rows_of(self, X: Any, net: Network) -> Array:
        """X as the network takes it, once it is known what it was fitted to."""
        X = _dense(validate_data(self, X, accept_sparse="csr", reset=False, dtype=DTYPES))
        return np.ascontiguousarray(X, net.dtype)

    @staticmethod
    def _mean_outputs(net: MLP, params: list[Array], X: Array) -> Array:
        outputs = [net.predict(each, X) for each in params]
        if len(outputs) == 1:
            return outputs[0]
        return np.mean(outputs, axis=0, dtype=np.float64).astype(net.dtype)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def not_finite(fits: list[Fit]) -> ValueError | None:
    """The error of fits that have diverged, as scikit-learn words it; None where none has."""
    if all(np.isfinite(each.params).all() for each in fits):
        return None
    return ValueError(
        "Solver produced non-finite parameter weights. The input data may contain large values and "
        "need to be preprocessed."
    )


def _dense(X: Any) -> Array:
    """Rows in which all numbers are there."""
    array: Array = X.toarray() if hasattr(X, "toarray") else X
    return array
