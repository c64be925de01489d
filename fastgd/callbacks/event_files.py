"""Event files, as TensorBoard's own writer writes them."""

from __future__ import annotations

from typing import Any

from fastgd.callbacks.recorder import Point, Recorder


class EventFiles(Recorder):
    """One file more in a folder for each training."""

    def __init__(self, folder: str, every: float):
        super().__init__(every)
        self.where = self.folder = folder
        self._writer: Any = None

    def open(self) -> None:
        from tensorboard.summary import Writer

        self._writer = Writer(self.folder)

    def write(self, points: list[Point]) -> None:
        for epoch, numbers in points:
            for name, number in numbers.items():
                self._writer.add_scalar(name, number, epoch)

    def describe(self, words: dict[str, object]) -> None:
        """The writer has scalars only."""

    def close(self, is_whole: bool) -> None:
        self._writer.close()
