"""Runs of MLflow's."""

from __future__ import annotations

import time
from typing import Any

from fastgd.callbacks.recorder import Point, Recorder

_MOST_CHARACTERS = 500  # of a parameter
_MOST_METRICS = 1_000  # at a time


class MlflowRuns(Recorder):
    """Metrics and parameters of the active run, which is left open, or of one for each training."""

    where = "MLflow"

    def __init__(self, given: dict[str, Any], every: float):
        super().__init__(every)
        self.given = given
        self._is_own, self._id = False, ""

    def open(self) -> None:
        import mlflow

        active = mlflow.active_run()
        self._is_own = active is None
        self._id = (mlflow.start_run(**self.given) if active is None else active).info.run_id

    def write(self, points: list[Point]) -> None:
        from mlflow import MlflowClient
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [
            Metric(name, number, now, epoch)
            for epoch, numbers in points
            for name, number in numbers.items()
        ]
        for start in range(0, len(metrics), _MOST_METRICS):
            MlflowClient().log_batch(self._id, metrics[start : start + _MOST_METRICS])

    def describe(self, words: dict[str, object]) -> None:
        import mlflow

        mlflow.log_params({name: str(each)[:_MOST_CHARACTERS] for name, each in words.items()})

    def close(self, is_whole: bool) -> None:
        import mlflow

        if self._is_own:
            mlflow.end_run("FINISHED" if is_whole else "FAILED")
