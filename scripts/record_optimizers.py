"""Records what PyTorch's optimizers do to a small network, in float64, into tests/data/optimizers.json. Needs torch.

Prints for every case the cost of all rows before and after, and how many of its updates had their gradient clipped.
"""

import json
from math import cos, inf, pi
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_, parameters_to_vector, vector_to_parameters

ABOUT = (
    "Parameters of a 3-5-2 network (tanh, then sigmoid; squared error summed over the outputs, mean over the rows) after 'steps' updates, "
    "and after fewer in 'on_the_way', by scripts/record_optimizers.py with torch {}. Per layer W (outputs, inputs) row by row, then b. "
    "Batches take rows in order; the last of an epoch is short and averaged over its own rows. l2 adds l2 * W to the gradient of the "
    "weights, not of the biases; clip_norm bounds the norm of the whole gradient before that. AdamW's weight_decay is for biases too."
)
ROWS = 11
FILE = Path(__file__).parent.parent / "tests" / "data" / "optimizers.json"

SGD, MOMENTUM, NESTEROV = {"name": "SGD"}, {"name": "SGD", "momentum": 0.9}, {"name": "SGD", "momentum": 0.9, "nesterov": True}
ADAGRAD, RMSPROP, ADAM, ADAMW, RPROP = ({"name": name} for name in ("Adagrad", "RMSprop", "Adam", "AdamW", "Rprop"))
SCHEDULES = [
    {"name": "Constant", "rate": 1.0},
    {"name": "Step", "rate": 1.0, "every": 7, "factor": 0.8},
    {"name": "Exponential", "rate": 1.0, "factor": 0.98},
    {"name": "InverseTime", "rate": 1.0, "decay": 0.05},
    {"name": "Cosine", "rate": 1.0, "steps": 40, "least": 0.1},
]
# name, optimizer, learning rate, what else differs from OPTIONS
OPTIONS = {"l2": 0.0, "clip_norm": None, "full": 200, "mini": 51}  # updates by all rows at once, by mini-batches
FEW = {"full": 20, "mini": 21}  # RMSprop amplifies rounding
CASES = [
    ("SGD", SGD, 0.5, {}),
    ("SGD momentum", MOMENTUM, 0.1, {}),
    ("SGD Nesterov", NESTEROV, 0.1, {}),
    ("SGD l2", SGD, 0.5, {"l2": 0.01}),
    ("SGD momentum, l2", MOMENTUM, 0.1, {"l2": 0.01}),
    ("SGD always clipped", SGD, 2.0, {"clip_norm": 0.005}),
    ("SGD sometimes clipped", SGD, 0.5, {"clip_norm": 0.1}),
    ("SGD momentum, l2, clipped", MOMENTUM, 0.1, {"l2": 0.01, "clip_norm": 0.1}),
    ("Adagrad", ADAGRAD, 0.03, {}),
    ("Adagrad l2", ADAGRAD, 0.03, {"l2": 0.01}),
    ("RMSprop", RMSPROP, 0.01, FEW),
    ("RMSprop rho 0.9", RMSPROP | {"rho": 0.9}, 0.01, FEW),
    ("RMSprop l2", RMSPROP, 0.01, FEW | {"l2": 0.01}),
    ("Adam", ADAM, 0.02, {}),
    ("Adam betas and eps", ADAM | {"beta1": 0.8, "beta2": 0.99, "eps": 1e-6}, 0.02, {}),
    ("Adam l2", ADAM, 0.02, {"l2": 0.01}),
    ("Adam clipped", ADAM, 0.02, {"clip_norm": 0.1}),
    ("Adam Exponential", ADAM, {"name": "Exponential", "rate": 0.05, "factor": 0.98}, {}),
    ("AdamW", ADAMW, 0.02, {}),
    (
        "AdamW decay 0.1, Cosine, warm-up",
        ADAMW | {"weight_decay": 0.1},
        {"name": "Cosine", "rate": 0.05, "steps": 30, "least": 0.01, "warmup": 10},
        {},
    ),
    ("Rprop", RPROP, 0.01, {"mini": 0}),
    ("Rprop etas", RPROP | {"eta_minus": 0.4, "eta_plus": 1.3}, 0.02, {"mini": 0}),
    ("Rprop limits", RPROP | {"step_min": 1e-2, "step_max": 0.1}, 0.02, {"mini": 0}),
    ("SGD momentum, Cosine to 0", MOMENTUM, {"name": "Cosine", "rate": 0.2, "steps": 40}, {}),
    *((f"SGD {schedule['name']}", SGD, schedule, {}) for schedule in SCHEDULES),
    *((f"SGD {schedule['name']}, warm-up", SGD, schedule | {"warmup": 10}, {}) for schedule in SCHEDULES),
]


def make_optimizer(parameters, rate, l2, name, **options):
    """torch's optimizer from our names; l2 is weight decay of the weights alone."""
    for theirs, ours in {"betas": ("beta1", "beta2"), "etas": ("eta_minus", "eta_plus"), "step_sizes": ("step_min", "step_max")}.items():
        if ours[0] in options:
            options[theirs] = tuple(options.pop(key) for key in ours)
    if "rho" in options:
        options["alpha"] = options.pop("rho")
    weights = {"params": [p for p in parameters if p.ndim == 2]} | ({"weight_decay": l2} if l2 else {})
    biases = {"params": [p for p in parameters if p.ndim == 1]}
    return getattr(torch.optim, name)([weights, biases], lr=rate, **options)


def make_scheduler(optimizer, rate, name, warmup=0, **options):
    """torch's scheduler of that name, or a LambdaLR where it has none: inverse time, and whatever warms up."""
    schedulers = torch.optim.lr_scheduler
    if not warmup and name == "Step":
        return schedulers.StepLR(optimizer, options["every"], options["factor"])
    if not warmup and name == "Exponential":
        return schedulers.ExponentialLR(optimizer, options["factor"])
    if not warmup and name == "Cosine":
        return schedulers.CosineAnnealingLR(optimizer, options["steps"], options.get("least", 0.0))
    after = {
        "Constant": lambda t: 1.0,
        "Step": lambda t, every, factor: factor ** (t // every),
        "Exponential": lambda t, factor: factor**t,
        "InverseTime": lambda t, decay: 1 / (1 + decay * t),
        "Cosine": lambda t, steps, least=0.0: least / rate + (1 - least / rate) * (1 + cos(pi * min(t, steps) / steps)) / 2,
    }[name]
    return schedulers.LambdaLR(optimizer, lambda t: (t + 1) / warmup if t < warmup else after(t - warmup, **options))


def record(X, Y, initial, case):
    """Adds to the case its parameters, at the end and on the way; prints how it went."""
    net = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2), torch.nn.Sigmoid()).double()
    vector_to_parameters(torch.tensor(initial), net.parameters())
    schedule = case["learning_rate"] if isinstance(case["learning_rate"], dict) else {"name": "Constant", "rate": case["learning_rate"]}
    optimizer = make_optimizer(list(net.parameters()), schedule["rate"], case["l2"], **case["optimizer"])
    scheduler = make_scheduler(optimizer, **schedule)
    turns = inf if "warmup" in schedule else schedule.get("steps", inf)  # torch's cosine would rise again after its steps

    def cost(rows):
        return (net(X[rows]) - Y[rows]).square().sum(dim=1).mean()

    before, clipped, after = cost(slice(None)).item(), 0, {}
    size = case["batch_size"] or ROWS
    batches = [slice(start, start + size) for start in range(0, ROWS, size)]
    for t in range(case["steps"]):
        optimizer.zero_grad()
        cost(batches[t % len(batches)]).backward()
        if case["clip_norm"]:
            clipped += int(clip_grad_norm_(net.parameters(), case["clip_norm"]) > case["clip_norm"])
        optimizer.step()
        if t < turns:
            scheduler.step()
        after[t + 1] = parameters_to_vector(net.parameters()).tolist()

    way = (1, 10) if case["batch_size"] is None else (3, 9)
    case |= {"params": after[case["steps"]], "on_the_way": {str(steps): after[steps] for steps in way}}
    print(f"{case['name']:<48} {case['steps']:4} updates, {clipped:3} clipped   cost {before:.4f} -> {cost(slice(None)).item():.4f}")
    return case


rng = np.random.default_rng(0)
X, Y = rng.normal(size=(ROWS, 3)), rng.uniform(0.05, 0.95, size=(ROWS, 2))
initial = rng.normal(size=3 * 5 + 5 + 5 * 2 + 2) * 0.6
cases = []
for name, optimizer, rate, options in CASES:
    options = OPTIONS | options
    for kind, batch_size, steps in [("full batch", None, options.pop("full")), ("mini-batches", 4, options.pop("mini"))]:
        if steps:
            case = {
                "name": f"{name}, {kind}",
                "optimizer": optimizer,
                "learning_rate": rate,
                **options,
                "batch_size": batch_size,
                "steps": steps,
            }
            cases.append(record(torch.tensor(X), torch.tensor(Y), initial, case))

data = {"about": ABOUT.format(torch.__version__.partition("+")[0]), "X": X.tolist(), "Y": Y.tolist(), "initial": initial.tolist()}
lines = ",\n".join(json.dumps(case) for case in cases)  # one a line
FILE.write_text(json.dumps(data)[:-1] + f', "cases": [\n{lines}\n]}}\n')
