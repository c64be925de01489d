"""The score of a run on rows whose targets are known, as `train` and `predict` print it."""

from typing import Any


def score_lines(score: dict[str, Any]) -> list[tuple[str, str]]:
    """What a `Table.score` says, in words."""
    if "accuracy" in score:
        return [("accuracy", f"{score['accuracy']:.4f}, {score['right']:,} of {score['rows']:,}")]
    lines = []
    for name, error in score["mean_squared_error"].items():
        r2 = score["r2"][name]
        lines.append(
            (name, f"mean squared error {error:.6g}{'' if r2 is None else f', R2 {r2:.4f}'}")
        )
    return lines
