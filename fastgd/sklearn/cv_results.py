"""`cv_results_`: the scores of candidates on folds, in the form that GridSearchCV has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.ma import MaskedArray
from scipy.stats import rankdata

from fastgd.arguments.checks import Array


def cv_results(
    candidates: list[dict[str, Any]], times: dict[str, Array], scores: dict[str, Array]
) -> dict[str, Any]:
    """Of (candidates, folds) times and scores by name: test, and train if there are any."""
    results: dict[str, Any] = {}
    for name, seconds in times.items():
        results |= _statistics(name, seconds)
    for name in dict.fromkeys(name for candidate in candidates for name in candidate):
        results[f"param_{name}"] = _values(name, candidates)
    results["params"] = candidates
    for name, values in scores.items():
        results |= {f"split{i}_{name}": fold for i, fold in enumerate(values.T)}
        results |= _statistics(name, values)
        if name == "test_score":
            results["rank_test_score"] = _ranks(results["mean_test_score"])
    return results


def _statistics(name: str, values: Array) -> dict[str, Array]:
    return {f"mean_{name}": values.mean(axis=1), f"std_{name}": values.std(axis=1)}


def _values(name: str, candidates: list[dict[str, Any]]) -> Any:
    """What each candidate has of a parameter; masked where it has none of its own."""
    own = {i: each[name] for i, each in enumerate(candidates) if name in each}
    try:
        values = np.array(list(own.values()))
    except ValueError:  # sequences of several lengths
        dtype = np.dtype(object)
    else:
        dtype = values.dtype if values.dtype.kind != "U" and values.ndim == 1 else np.dtype(object)
    result: Any = MaskedArray(np.empty(len(candidates), dtype), mask=True)
    for i, value in own.items():
        result[i] = value
    return result


def _ranks(means: Array) -> Array:
    """1 for the best; those that have no score share the last."""
    if np.isnan(means).all():
        return np.ones(len(means), np.int32)
    ranks: Array = rankdata(-np.where(np.isnan(means), np.nanmin(means) - 1, means), method="min")
    return ranks.astype(np.int32)
