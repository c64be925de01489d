"""The public names: what the package names, and what a user takes from its rooms."""

import importlib
import inspect
from typing import Any

ROOMS = ("data", "schedules", "optimizers", "numeric", "plotting", "callbacks", "sklearn")
HELPERS = {  # which a user has no need to call
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


# what users call of a class; of others, what has a docstring is shown
MEMBERS = {
    "fastgd.MLP": [
        "n_params", "init", "unpack", "pack", "predict", "predictor", "cost", "gradient", "cost_and_gradient", "layer_costs",
        "objective", "input_gradient", "hessian_vector", "derivation", "source", "jitted", "to_c",
    ],
    "fastgd.Run": ["predict", "best_cost", "best_epoch", "save", "to_c", "to_onnx", "to_torch", "to_json", "to_csv", "report"],
    "fastgd.Runs": ["best", "best_member", "epochs", "predict", "mean_predict", "save", "report"],
    "fastgd.data.Table": [
        "fit", "encode", "encode_targets", "decode", "probabilities", "score", "constant", "to_dict", "from_dict",
    ],
    "fastgd.data.Columns": ["names", "numbers", "text", "values", "take", "only"],
    "fastgd.predictor.Predictor": ["__call__"],
    "fastgd.objective.Objective": ["cost", "gradient", "residuals", "jacobian", "hessian_vector"],
    "fastgd.sklearn.MLPClassifier": ["fit", "partial_fit", "predict", "predict_proba"],
    "fastgd.sklearn.MLPRegressor": ["fit", "partial_fit", "predict"],
    "fastgd.sklearn.search.Search": ["cv_results_"],
}  # fmt: skip
