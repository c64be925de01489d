"""A course: a network, its rows, and how it is trained, by each method that takes part."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import Any

from fastgd import kernels, optimizers, schedules
from fastgd.arguments.checks import Array
from fastgd.mlp import MLP
from fastgd.options import Options
from fastgd.page.pictures import Scene
from fastgd.play.errors import Errors
from fastgd.play.problems import Problem, problem_of
from fastgd.play.settings import Settings
from fastgd.samples import check_samples

_POINTS = 250  # most of a history
_NETWORK_FIELDS = {
    "activation": "hidden", "output": "output", "loss": "loss", "Y": "loss",
}  # fmt: skip
_OPTION_FIELDS = {
    name: name for name in ("learning_rate", "batch_size", "eps", "optimizer", "schedule", "l2")
} | {"method": "methods"}


@dataclass(frozen=True, eq=False)
class Course:
    """What is trained, and the arguments of `fastgd.train` for it, by each method."""

    settings: Settings
    problem: Problem
    net: MLP
    params: Array  # initial ones
    arguments: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, settings: Settings) -> Course:
        """The course of these settings; a SettingsError by fields where they make none, before
        anything is compiled.
        """
        errors = Errors()
        problem = problem_of(settings, errors)
        net = errors.of("hidden", lambda: network_of(settings, problem), _NETWORK_FIELDS)
        samples = errors.of(
            "loss", lambda: check_samples(net, problem.X, problem.Y, None), _NETWORK_FIELDS
        )
        arguments = {}
        for method in settings.methods:
            given = _given(settings, method, errors)
            options = errors.of(
                "methods",
                lambda given=given: Options.of(given, net, len(problem.X)),  # type: ignore[misc]
                _OPTION_FIELDS,
            )
            plan = kernels.plan_for(net, samples, options, "auto", settings.epochs)
            arguments[method] = given | {"kernel": plan.kernel, "rng": settings.seed}
        params = net.init(settings.seed, settings.init or problem.scheme)
        return cls(settings, problem, net, params, arguments)

    @property
    def scheme(self) -> str | None:
        """Of the initial parameters, where it is not what a network has by default."""
        scheme = self.settings.init or self.problem.scheme
        return None if scheme == "auto" else scheme

    def scene(self) -> Scene:
        """What is drawn of it."""
        problem = self.problem
        return Scene(
            self.net, problem.X, problem.Y, problem.inputs, problem.outputs, problem.title,
            problem.least_bounds,
        )  # fmt: skip


def network_of(settings: Settings, problem: Problem) -> MLP:
    """The network that stands between the columns of a problem."""
    units = [units for units, _ in settings.hidden]
    activations = [activation for _, activation in settings.hidden]
    return MLP(
        problem.X.shape[1],
        *units,
        problem.Y.shape[1],
        activation=activations,
        output=settings.output or problem.output,
        loss=settings.loss or _loss_for(settings.output, problem),
    )


def _loss_for(output: str, problem: Problem) -> str:
    """The loss that an output is made for, where it is not the one of the problem."""
    if output in ("", problem.output):
        return problem.loss
    own = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy", "exp": "poisson"}
    return own.get(output, "squared_error")


def _given(settings: Settings, method: str, errors: Errors) -> dict[str, Any]:
    """Arguments of `train` by these settings, for one method."""
    rate: Any = settings.learning_rate
    if settings.schedule != "constant" or settings.schedule_numbers:
        rate = errors.of(
            "schedule",
            lambda: _made(schedules.KINDS[settings.schedule], settings.schedule_numbers, rate=rate),
        )
    optimizer = errors.of(
        "optimizer",
        lambda: _made(optimizers.KINDS[settings.optimizer], settings.optimizer_numbers),
    )
    return {
        "learning_rate": rate,
        "optimizer": optimizer,
        "method": method,
        "eps": settings.eps if "difference" in method else Options.eps,
        "batch_size": settings.batch_size,
        "l2": settings.l2,
        "record": _POINTS,
        "spacing": "log",
    }


def _made(kind: Any, numbers: dict[str, Any], **more: Any) -> Any:
    """An optimizer or a schedule of these numbers; a ValueError for names that it has not."""
    names = [each.name for each in fields(kind) if each.init and each.name not in more]
    for name in numbers:
        if name not in names:
            raise ValueError(f"{kind.__name__} has no {name!r}; it has: {', '.join(names)}")
    missing = [
        each.name
        for each in fields(kind)
        if each.name in names and each.name not in numbers and each.default is MISSING
    ]
    if missing:
        raise ValueError(f"{kind.__name__} needs {', '.join(missing)}")
    return kind(**numbers, **more)
