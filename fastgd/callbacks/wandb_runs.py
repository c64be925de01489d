"""Runs of Weights & Biases."""

from __future__ import annotations

from typing import Any

from fastgd.callbacks.recorder import Point, Recorder


class WandbRuns(Recorder):
    """Numbers by epochs, and a configuration, of the open run, which is left open, or of one for
    each training.
    """

    where = "Weights & Biases"

    def __init__(self, given: dict[str, Any], every: float):
        super().__init__(every)
        self.given = given
        self._run: Any = None
        self._is_own = False

    def open(self) -> None:
        import wandb

        self._is_own = wandb.run is None
        self._run = wandb.init(**self.given) if self._is_own else wandb.run
        self._run.define_metric("*", step_metric="epoch")  # which costs of validation go back in

    def write(self, points: list[Point]) -> None:
        for epoch, numbers in points:
            self._run.log({"epoch": epoch, **numbers})

    def describe(self, words: dict[str, object]) -> None:
        self._run.config.update(words, allow_val_change=True)

    def close(self, is_whole: bool) -> None:
        if self._is_own:
            self._run.finish(exit_code=0 if is_whole else 1)
