"""The numbers that were measured, one JSON file for each bench; pages of the docs and plots are made of them."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def save(name: str, measured: dict[str, Any]) -> None:
    text = json.dumps(_rounded(measured), indent=1)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def load(name: str) -> dict[str, Any]:
    measured: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return measured


def saved() -> dict[str, dict[str, Any]]:
    """All that was measured and kept, by name."""
    return {file.stem: load(file.stem) for file in sorted(FOLDER.glob("*.json"))}


def _rounded(value: Any) -> Any:
    """To four digits, which is more than a machine repeats."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
