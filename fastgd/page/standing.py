"""How far a training has come, as a page is told of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Standing:
    """One method's place in a race, and the costs on its way."""

    method: str
    epoch: int
    cost: float
    seconds: float
    epochs: Sequence[int]  # at which costs are known
    costs: Sequence[float]
    is_done: bool
    furthest: int  # epoch that can be gone back to
    kernel: str = ""
    stalled: bool = False
    error: str = ""  # why it can't go on

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "method": self.method,
            "epoch": self.epoch,
            "furthest": self.furthest,
            "cost": _number(self.cost),
            "seconds": self.seconds,
            "per_second": self.epoch / self.seconds if self.seconds > 0 else None,
            "kernel": self.kernel,
            "stalled": self.stalled,
            "done": self.is_done,
            "error": self.error,
            "history": {
                "epoch": list(self.epochs),
                "cost": [_number(float(f"{cost:.6g}")) for cost in self.costs],
            },
        }


def _number(value: float) -> float | None:
    """As JSON has it, in which there is no NaN and no infinity."""
    return float(value) if math.isfinite(value) else None
