"""search(): what GridSearchCV does, with candidates that differ in numbers trained together."""

from __future__ import annotations

import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid, check_cv
from sklearn.utils import indexable

from fastgd.arguments.checks import Array, shown, whole_number
from fastgd.sklearn.cv_results import cv_results
from fastgd.sklearn.estimator import BaseMLP
from fastgd.sklearn.together import Fold, groups_of
from fastgd.system.processors import available_threads


class Search(dict[str, Any]):
    """`cv_results_` of a search, a dict that pandas.DataFrame takes, and what GridSearchCV has
    beside it.

    Attributes
    ----------
    cv_results_ : this dict
    best_index_, best_params_, best_score_ : of the candidate with the best mean score
    best_estimator_ : that one, fitted to all rows, where `refit` is True
    n_splits_ : int
    """

    best_index_: int
    best_params_: dict[str, Any]
    best_score_: float
    best_estimator_: Any
    n_splits_: int

    @property
    def cv_results_(self) -> dict[str, Any]:
        return self


def search(
    estimator: Any,
    grid: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    cv: Any = None,
    scoring: Any = None,
    refit: bool = True,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    return_train_score: bool = False,
    error_score: float | str = np.nan,
    threads: int | None = None,
) -> Search:
    """Cross-validate candidates, as GridSearchCV does, whose scores these are. On the rows of a
    fold, candidates that differ in numbers alone (rates, alpha, momenta, tolerances, epochs,
    random states) are trained side by side, update by update; others in as many groups as it takes.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor of `fastgd.sklearn`
    grid : dict of lists, list of these, or an iterable of candidates such as a ParameterSampler
    X, y : as `estimator.fit` takes them
    cv : int, splitter or iterable, optional
        Folds, as GridSearchCV takes them; 5 if not given.
    scoring : str or callable, optional
        A score of scikit-learn's; accuracy, or R2, if not given.
    refit : bool
        Whether the best candidate is fitted to all rows.
    sample_weight : (n,) array_like, optional
        What rows weigh in fits, and in scores, as in GridSearchCV.
    groups : (n,) array_like, optional
        For splitters that keep groups together.
    return_train_score : bool
    error_score : float or "raise"
        The scores of a fit that fails, because its parameters are refused or it diverges, of which
        a FitFailedWarning tells; or whether its error is raised. Where all fail it is a ValueError.
    threads : int, optional
        That train parts of the candidates; all processors if not given.

    Returns
    -------
    Search
        `cv_results_` of the same form.

    Examples
    --------
    >>> from fastgd.sklearn import MLPClassifier, search
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((8,), max_iter=800, random_state=0)
    >>> rates = {"learning_rate_init": [0.003, 0.03]}
    >>> found = search(model, rates, X, y, cv=3)
    >>> found["mean_test_score"].round(1)
    array([1., 1.])
    >>> sorted(found.best_params_)
    ['learning_rate_init']
    """
    if not isinstance(estimator, BaseMLP):
        raise TypeError(
            "estimator must be an MLPClassifier or MLPRegressor of fastgd.sklearn; got "
            f"{shown(estimator)}: GridSearchCV takes any"
        )
    threads = available_threads() if threads is None else whole_number("threads", threads, least=1)
    is_grid = isinstance(grid, dict) or (isinstance(grid, list) and _are_lists(grid))
    candidates = list(ParameterGrid(grid) if is_grid else grid)
    if not candidates:
        raise ValueError(f"grid must have at least one candidate; got {shown(grid)}")
    known = estimator.get_params(deep=False)
    for candidate in candidates:
        if not candidate.keys() <= known.keys():
            clone(estimator).set_params(**candidate)  # which says what it does not know
    if error_score != "raise":
        error_score = _error_score(error_score)
    X, y, sample_weight, groups = indexable(X, y, sample_weight, groups)
    scorer = None if scoring is None else check_scoring(estimator, scoring)
    splits = list(check_cv(cv, y, classifier=is_classifier(estimator)).split(X, y, groups))
    together = groups_of(estimator, candidates, threads)
    folds = [
        Fold(X, y, sample_weight, trained, held_out, scorer, return_train_score, error_score)
        for trained, held_out in splits
    ]

    shape = len(candidates), len(folds)
    names = ["test_score", "train_score"][: 1 + return_train_score]
    table = {name: np.full(shape, np.nan) for name in ("fit_time", "score_time", *names)}
    late, errors = list[str](), list[Exception]()

    def fill_in(job: tuple[int, list[int]]) -> None:
        fold, places = job
        results = folds[fold].results(estimator, [candidates[place] for place in places])
        for name, values in table.items():
            values[places, fold] = results[name]
        failed = [place for place, error in zip(places, results["error"], strict=True) if error]
        errors.extend(filter(None, results["error"]))
        if failed and error_score == "raise":
            raise errors[-1]
        for name in names if failed else ():
            table[name][failed, fold] = error_score
        late.extend(filter(None, results["late"]))

    jobs = [(fold, places) for places in together for fold in range(len(folds))]
    if threads == 1 or len(jobs) == 1:
        for job in jobs:
            fill_in(job)
    else:
        with ThreadPoolExecutor(threads, thread_name_prefix="fastgd") as pool:
            list(pool.map(fill_in, jobs))
    _tell(errors, late, table["test_score"], error_score)

    times, scores = ({n: table[n] for n in part} for part in (["fit_time", "score_time"], names))
    result = Search(cv_results(candidates, times, scores))
    result.n_splits_ = len(folds)
    result.best_index_ = int(result["rank_test_score"].argmin())
    result.best_params_ = candidates[result.best_index_]
    result.best_score_ = float(result["mean_test_score"][result.best_index_])
    if refit:
        best = clone(estimator).set_params(**result.best_params_)
        result.best_estimator_ = best.fit(X, y, sample_weight)
    return result


def _are_lists(grid: list[Any]) -> bool:
    """Whether it is a list of grids, not of candidates."""
    values = [value for each in grid for value in each.values()]
    return all(isinstance(value, (list, tuple, np.ndarray)) for value in values)


def _error_score(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"error_score must be a number or 'raise'; got {shown(value)}")
    return float(value)


def _tell(errors: list[Exception], late: list[str], scores: Array, error_score: object) -> None:
    """Of fits that failed, of scores that are none, and of fits that were not over, once for all;
    ValueError where all failed.
    """
    if errors:
        kinds = Counter(f"{type(error).__name__}: {error}" for error in errors)
        why = "; ".join(f"{count} by {kind}" for kind, count in kinds.items())
        if len(errors) == scores.size:
            raise ValueError(f"all {scores.size} fits failed, {why}")
        message = f"{len(errors)} of {scores.size} fits failed, whose scores are {error_score}: "
        warnings.warn(message + why, FitFailedWarning, stacklevel=3)
    elif not np.isfinite(scores).all():
        warnings.warn("some scores are not finite", UserWarning, stacklevel=3)
    if late:
        warnings.warn(
            f"{len(late)} of {scores.size} fits have not converged: {late[0]}",
            ConvergenceWarning,
            stacklevel=3,
        )
