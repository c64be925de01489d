"""Candidates of a search that differ in numbers alone, fitted together to the rows of a fold."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing, check_random_state

from fastgd.arguments.checks import Array
from fastgd.sklearn.estimator import BaseMLP, Training, not_finite
from fastgd.sklearn.fit import Fit
from fastgd.sklearn.networks import Objective
from fastgd.sklearn.parameters import checked
from fastgd.system.float_errors import quiet

# parameters that may differ between fits of one course
_OWN = (
    "alpha", "learning_rate", "learning_rate_init", "power_t", "max_iter", "random_state", "tol",
    "verbose", "momentum", "nesterovs_momentum", "beta_1", "beta_2", "epsilon", "n_iter_no_change",
)  # fmt: skip
_LEAST = 16  # candidates of a part


def groups_of(estimator: BaseMLP, candidates: list[dict[str, Any]], parts: int) -> list[list[int]]:
    """Places of candidates that are fitted together, in so many parts where they are many."""
    given, groups = estimator.get_params(deep=False), dict[Any, list[int]]()
    for place, candidate in enumerate(candidates):
        own = given | candidate
        key = [_mark(value) for name, value in sorted(own.items()) if name not in _OWN]
        if own["early_stopping"]:  # whose validation rows the random state draws
            key.append(_mark(place if own["random_state"] is None else own["random_state"]))
        groups.setdefault(tuple(key), []).append(place)
    cut = []
    for places in groups.values():
        count = max(1, min(parts, len(places) // _LEAST))
        cut += [part.tolist() for part in np.array_split(places, count)]
    return cut


def _mark(value: Any) -> Any:
    """What is equal for parameters that ask for the same."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_mark, value))
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return type(value), value


@dataclass
class Fold:
    """Rows to fit, and rows to judge by: `scorer(estimator, X, y)`, or the estimator's own score
    where there is none.
    """

    X: Any
    y: Any
    sample_weight: Any
    trained: Array  # places of rows
    held_out: Array
    scorer: Callable[..., float] | None = None
    train_score: bool = False  # whether that is wanted too
    error_score: float | str = np.nan  # where the scorer fails, or "raise"

    def results(self, estimator: BaseMLP, candidates: list[dict[str, Any]]) -> dict[str, list[Any]]:
        """Of each candidate: test_score and train_score, NaN where its fit failed; fit_time and
        score_time, equal parts of the seconds that all took; the error that it failed by, None for
        none; why it has not converged, if it has not. Scorers' errors are raised where
        `error_score` says so.
        """
        begun, count = time.perf_counter(), len(candidates)
        estimator = clone(estimator)
        try:
            ps, training, fits = self._trained(estimator, candidates)
        except Exception as error:
            if count > 1:  # of which some may be right
                first, others = candidates[: count // 2], candidates[count // 2 :]
                halves = self.results(estimator, first), self.results(estimator, others)
                return {name: halves[0][name] + halves[1][name] for name in halves[0]}
            return {
                "test_score": [np.nan], "train_score": [np.nan], "score_time": [0.0],
                "fit_time": [time.perf_counter() - begun], "error": [error], "late": [""],
            }  # fmt: skip
        fitted = time.perf_counter()
        scores = self._scores(estimator, candidates, ps, training, fits)
        return scores | {
            "fit_time": [(fitted - begun) / count] * count,
            "score_time": [(time.perf_counter() - fitted) / count] * count,
            "error": [not_finite(own) for own in fits],
            "late": ["".join(fit.message for fit in own if not fit.converged) for own in fits],
        }

    @quiet
    def _trained(
        self, estimator: BaseMLP, candidates: list[dict[str, Any]]
    ) -> tuple[list[SimpleNamespace], Training, list[list[Fit]]]:
        """The parameters of each, and the fits of each, which are over."""
        ps = [checked(estimator.get_params(deep=False) | each) for each in candidates]
        estimator.set_params(**candidates[0])
        objective, samples = estimator._prepared(ps[0], *self._rows(self.trained))
        fits = list(_fits(estimator, ps, objective))
        training = estimator._training(ps[0], objective, samples, list(chain(*fits)))
        training.train(max(p.max_iter for p in ps))
        return ps, training, fits

    def _rows(self, places: Array) -> tuple[Any, Any, Any]:
        """X, y and weights, None for none."""
        X, y, weights = self.X, self.y, self.sample_weight
        own = None if weights is None else _safe_indexing(weights, places)
        return _safe_indexing(X, places), _safe_indexing(y, places), own

    @quiet
    def _scores(
        self,
        estimator: BaseMLP,
        candidates: list[dict[str, Any]],
        ps: list[SimpleNamespace],
        training: Training,
        fits: list[list[Fit]],
    ) -> dict[str, list[float]]:
        kinds = {"test_score": self._rows(self.held_out)}
        if self.train_score:
            kinds["train_score"] = self._rows(self.trained)
        scores: dict[str, list[float]] = {name: [] for name in kinds}
        given = {
            name: (estimator._rows_of(X, training.objective.net), y, weights)
            for name, (X, y, weights) in kinds.items()
            if self.scorer is None
        }
        first = 0
        for candidate, p, own in zip(candidates, ps, fits, strict=True):
            runs = range(first, first + len(own))
            first += len(own)
            fitted = not_finite(own) is None
            if self.scorer is not None and fitted:
                model = clone(estimator).set_params(**candidate)
                model._adopt(estimator)
                model._put_down(p, training.objective, own, [training.run(i) for i in runs])
            for name, (X, y, weights) in (given or kinds).items():
                score = np.nan
                if self.scorer is not None and fitted:
                    weighs = {} if weights is None else {"sample_weight": weights}
                    score = self._scored(model, X, y, weighs)
                elif fitted:
                    params = [fit.params for fit in own]
                    outputs = estimator._mean_outputs(training.objective.net, params, X)
                    score = estimator._judged(outputs, y, weights)
                scores[name].append(score)
        return scores

    def _scored(self, model: BaseMLP, X: Any, y: Any, weights: dict[str, Any]) -> float:
        """What the scorer says, or `error_score` where it fails."""
        assert self.scorer is not None
        try:
            return self.scorer(model, X, y, **weights)
        except Exception as error:
            if self.error_score == "raise":
                raise
            warnings.warn(
                f"scoring failed; the score is {self.error_score}: {type(error).__name__}: {error}",
                UserWarning,
                stacklevel=2,
            )
            return float(self.error_score)


def _fits(
    estimator: BaseMLP, ps: list[SimpleNamespace], objective: Objective
) -> Iterator[list[Fit]]:
    """Those of each candidate, before the first update. Candidates with the same seed, or with the
    same generator, of which each has a copy, begin with the same parameters and share one.
    """
    known: dict[Any, list[Fit]] = {}
    for p in ps:
        given = p.random_state
        key = given if isinstance(given, (int, np.integer)) else id(given)
        if given is None or key not in known:
            random = check_random_state(copy.deepcopy(given))
            known[key] = estimator._first_fits(p, objective, random)
        yield [Fit(p, fit.params, fit.random) for fit in known[key]]
