"""Records what PyTorch's optimizers do to a small network, in float64, into tests/data/optimizers.json. Needs torch.

Prints for every case the cost of all rows before and after, and how many of its updates had their gradient clipped.
"""

import json
from argparse import ArgumentParser
from math import cos, inf, pi
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_, parameters_to_vector, vector_to_parameters

ArgumentParser(description=__doc__).parse_args()

ABOUT = (
    "Parameters of a 3-5-2 network (tanh, then sigmoid; squared error summed over the outputs, mean over the rows) after 'steps' updates, "
    "and after fewer in 'on_the_way', by scripts/record_optimizers.py with torch {}. Per layer W (outputs, inputs) row by row, then b. "
    "A Plateau sees the cost after an epoch of one batch, or the mean over an epoch's batches. "
    "Batches take rows in order; the last of an epoch is short and averaged over its own rows. l2 adds l2 * W to the gradient of the "
    "weights, not of the biases; clip_norm bounds the norm of the whole gradient before that. AdamW's weight_decay is for biases too."
)
ROWS = 11
torch.set_default_dtype(torch.float64)  # of what its optimizers keep beside tensors of the parameters
FILE = Path(__file__).parent.parent / "tests" / "data" / "optimizers.json"

SGD, MOMENTUM, NESTEROV = {"name": "SGD"}, {"name": "SGD", "momentum": 0.9}, {"name": "SGD", "momentum": 0.9, "nesterov": True}
ADAGRAD, RMSPROP, ADAM, ADAMW, RPROP = ({"name": name} for name in ("Adagrad", "RMSprop", "Adam", "AdamW", "Rprop"))
NADAM, RADAM, ADADELTA = ({"name": name} for name in ("NAdam", "RAdam", "Adadelta"))
SCHEDULES = [
    {"name": "Constant", "rate": 1.0},
    {"name": "Step", "rate": 1.0, "every": 7, "factor": 0.8},
    {"name": "Exponential", "rate": 1.0, "factor": 0.98},
    {"name": "InverseTime", "rate": 1.0, "decay": 0.05},
    {"name": "Cosine", "rate": 1.0, "steps": 40, "least": 0.1},
]
CYCLES = [  # of schedules without a warm-up
    {"name": "CosineRestarts", "rate": 1.0, "steps": 10, "growth": 2, "least": 0.1},
    {"name": "CosineRestarts", "rate": 1.0, "steps": 12},
    {"name": "OneCycle", "rate": 1.0, "steps": 60},
    {"name": "OneCycle", "rate": 1.0, "steps": 45, "rise": 0.4, "divisor": 10.0, "final_divisor": 5.0},
    {"name": "Piecewise", "rate": 1.0, "begins": [9, 20, 21], "rates": [0.5, 0.25, 0.125]},
    {"name": "Plateau", "rate": 1.0, "factor": 0.7, "patience": 1, "threshold": 0.02},
    {"name": "Plateau", "rate": 2.0, "factor": 0.5, "patience": 0, "threshold": 0.05, "cooldown": 3, "least": 0.7},
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
    ("SGD decay", SGD | {"weight_decay": 0.02}, 0.5, {}),
    ("SGD momentum, decay, l2", MOMENTUM | {"weight_decay": 0.02}, 0.1, {"l2": 0.01}),
    ("SGD Nesterov, decay, clipped", NESTEROV | {"weight_decay": 0.02}, 0.1, {"clip_norm": 0.1}),
    ("Adam amsgrad", ADAM | {"beta1": 0.9, "beta2": 0.9, "amsgrad": True}, 0.02, {}),
    ("AdamW amsgrad", ADAMW | {"beta1": 0.9, "beta2": 0.9, "amsgrad": True}, 0.02, {}),
    ("NAdam", NADAM, 0.02, {"full": 100}),
    ("NAdam momentum decay", NADAM | {"beta1": 0.8, "beta2": 0.999, "momentum_decay": 0.1}, 0.02, {"l2": 0.01}),
    ("RAdam", RADAM, 0.02, {}),
    ("RAdam betas and eps", RADAM | {"beta1": 0.8, "beta2": 0.9, "eps": 1e-4}, 0.02, {"clip_norm": 0.1}),
    ("RAdam never rectified", RADAM | {"beta1": 0.9, "beta2": 0.6}, 0.02, {}),
    ("Adadelta", ADADELTA, 1.0, {}),
    ("Adadelta rho and eps", ADADELTA | {"rho": 0.8, "eps": 1e-4}, 0.5, {"l2": 0.01}),
    ("NAdam, Step", NADAM, {"name": "Step", "rate": 0.05, "every": 7, "factor": 0.8}, {}),
    ("SGD momentum, Cosine to 0", MOMENTUM, {"name": "Cosine", "rate": 0.2, "steps": 40}, {}),
    *((f"SGD {schedule['name']}", SGD, schedule, {}) for schedule in SCHEDULES),
    *((f"SGD {schedule['name']} {i}", SGD, schedule, {}) for i, schedule in enumerate(CYCLES)),
    *((f"SGD {schedule['name']}, warm-up", SGD, schedule | {"warmup": 10}, {}) for schedule in SCHEDULES),
]


def make_optimizer(parameters, rate, l2, name, **options):
    """torch's optimizer from our names; l2 is weight decay of the weights alone."""
    for theirs, ours in {"betas": ("beta1", "beta2"), "etas": ("eta_minus", "eta_plus"), "step_sizes": ("step_min", "step_max")}.items():
        if ours[0] in options:
            options[theirs] = tuple(options.pop(key) for key in ours)
    if "rho" in options and name == "RMSprop":
        options["alpha"] = options.pop("rho")
    decay = options.get("weight_decay", 0.0)  # of SGD, which adds it to the gradient too
    weights = {"params": [p for p in parameters if p.ndim == 2]} | ({"weight_decay": l2 + decay} if l2 else {})
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
    if name == "CosineRestarts":
        return schedulers.CosineAnnealingWarmRestarts(optimizer, options["steps"], options.get("growth", 1), options.get("least", 0.0))
    if name == "OneCycle":
        theirs = {
            "pct_start": options.get("rise", 0.3),
            "div_factor": options.get("divisor", 25),
            "final_div_factor": options.get("final_divisor", 1e4),
        }
        return schedulers.OneCycleLR(optimizer, rate, options["steps"], cycle_momentum=False, **theirs)
    if name == "Piecewise":
        return schedulers.MultiStepLR(optimizer, options["begins"], options["rates"][0] / rate)
    if name == "Plateau":
        return schedulers.ReduceLROnPlateau(
            optimizer,
            factor=options["factor"],
            patience=options["patience"],
            threshold=options["threshold"],
            cooldown=options.get("cooldown", 0),
            min_lr=options.get("least", 0.0),
        )
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
    # torch's cosine would rise again after its steps, and its cycle be an error
    ends = {"Cosine": schedule.get("steps"), "OneCycle": schedule.get("steps", 0) - 1}
    turns = inf if "warmup" in schedule else ends.get(schedule["name"], inf)

    def cost(rows):
        return (net(X[rows]) - Y[rows]).square().sum(dim=1).mean()

    before, clipped, after, batch_costs = cost(slice(None)).item(), 0, {}, []  # the costs of a begun epoch
    size = case["batch_size"] or ROWS
    batches = [slice(start, start + size) for start in range(0, ROWS, size)]
    for t in range(case["steps"]):
        optimizer.zero_grad()
        batch_cost = cost(batches[t % len(batches)])
        batch_cost.backward()
        batch_costs.append(batch_cost.item())
        if case["clip_norm"]:
            clipped += int(clip_grad_norm_(net.parameters(), case["clip_norm"]) > case["clip_norm"])
        optimizer.step()
        if schedule["name"] == "Plateau":
            if len(batch_costs) == len(batches):
                scheduler.step(np.mean(batch_costs) if case["batch_size"] else cost(slice(None)).item())
        elif t < turns:
            scheduler.step()
        batch_costs = batch_costs[: len(batch_costs) % len(batches)]
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
