"""The public names: what the package names, and what a user takes from its rooms."""

import importlib
import inspect
from typing import Any

ROOMS = ("data", "schedules", "optimizers", "numeric", "sklearn")
HELPERS = {  # of other rooms, which a user has no need of
    "as_schedule", "check_learning_rate", "check_optimizer", "first_plateau", "most_general",
}  # fmt: skip


def public_names() -> dict[str, Any]:
    """{"fastgd.data.gate": the function, ...}: functions, classes and modules."""
    import fastgd

    found = {f"fastgd.{name}": getattr(fastgd, name) for name in fastgd.__all__}
    for room in ROOMS:
        module = importlib.import_module(f"fastgd.{room}")
        for name in module.__all__:
            if name not in HELPERS and getattr(fastgd, name, None) is not getattr(module, name):
                found[f"fastgd.{room}.{name}"] = getattr(module, name)
    return {name: one for name, one in found.items() if inspect.ismodule(one) or callable(one)}
