"""Flags of the update: what `fastgd train` makes of them, against the library given the objects; and `warmup` with them."""

import json
from dataclasses import fields

import numpy as np
import pytest

import fastgd
from fastgd import optimizers, schedules
from fastgd.cli import main
from fastgd.machine import cache, cache_folder
from fastgd.schedules import Constant, Cosine, CosineRestarts, Exponential, InverseTime, OneCycle, Piecewise, Plateau, Rates, Step

OPTIMIZERS = [
    ("", "sgd"),
    ("--optimizer sgd --momentum 0.8", fastgd.SGD(0.8)),
    ("--momentum 0.7 --nesterov", fastgd.SGD(0.7, nesterov=True)),
    ("--optimizer adagrad", "adagrad"),
    ("--optimizer adagrad --optimizer-eps 1e-3", fastgd.Adagrad(1e-3)),
    ("--optimizer rmsprop --rho 0.9 --optimizer-eps 1e-4", fastgd.RMSprop(0.9, 1e-4)),
    ("--optimizer adam --beta1 0.8 --beta2 0.9 --optimizer-eps 1e-5", fastgd.Adam(0.8, 0.9, 1e-5)),
    ("--optimizer adamw --weight-decay 0.2 --beta1 0 --beta2 0.99 --optimizer-eps 1e-7", fastgd.AdamW(0, 0.99, 1e-7, 0.2)),
    ("--optimizer sgd --momentum 0.5 --weight-decay 0.1", fastgd.SGD(0.5, weight_decay=0.1)),
    ("--optimizer adam --amsgrad", fastgd.Adam(amsgrad=True)),
    ("--optimizer adamw --amsgrad --weight-decay 0.1", fastgd.AdamW(weight_decay=0.1, amsgrad=True)),
    ("--optimizer nadam --beta1 0.8 --beta2 0.9 --optimizer-eps 1e-5 --momentum-decay 0.01", fastgd.NAdam(0.8, 0.9, 1e-5, 0.01)),
    ("--optimizer radam --beta1 0.8 --beta2 0.9 --optimizer-eps 1e-5", fastgd.RAdam(0.8, 0.9, 1e-5)),
    ("--optimizer adadelta --rho 0.8 --optimizer-eps 1e-4", fastgd.Adadelta(0.8, 1e-4)),
    ("--optimizer lion --beta1 0.8 --beta2 0.9 --weight-decay 0.1", fastgd.Lion(0.8, 0.9, 0.1)),
    ("--optimizer rprop --eta-minus 0.4 --eta-plus 1.3 --step-min 1e-3 --step-max 0.5", fastgd.Rprop(0.4, 1.3, 1e-3, 0.5)),
]
LEARNING_RATES = [
    ("", 0.5),
    ("--warmup 20", Constant(0.5, warmup=20)),
    ("--schedule constant", 0.5),
    ("--schedule step --decay-every 10", Step(0.5, every=10)),
    ("--schedule step --decay-every 10 --decay-factor 0.7 --warmup 3", Step(0.5, every=10, factor=0.7, warmup=3)),
    ("--schedule exponential --decay-factor 0.98", Exponential(0.5, factor=0.98)),
    ("--schedule inverse_time --decay 0.1", InverseTime(0.5, decay=0.1)),
    ("--schedule cosine --cosine-steps 40 --least-rate 0.01", Cosine(0.5, steps=40, least=0.01)),
    ("--schedule cosine_restarts --cosine-steps 20 --growth 2 --least-rate 0.01 --warmup 3", CosineRestarts(0.5, 20, 2, 0.01, warmup=3)),
    ("--schedule one_cycle --cosine-steps 50 --rise 0.4 --divisor 5 --final-divisor 10", OneCycle(0.5, 50, 0.4, 5, 10)),
    ("--schedule piecewise --begins 10,30 --rates 0.2,0.1", Piecewise(0.5, (10, 30), (0.2, 0.1))),
    (
        "--schedule plateau --decay-factor 0.6 --plateau-patience 3 --threshold 0.01 --cooldown 2 --least-rate 0.1",
        Plateau(0.5, 0.6, 3, 0.01, 2, 0.1),
    ),
]


def trained(command, flags, **options):
    """The cost that the command prints, and the library's for these options."""
    facts = json.loads(command("train", "--gate", "xor", "--epochs", 60, "--learning-rate", 0.5, *flags.split(), "--json"))
    net = fastgd.MLP(2, 2, 1)
    options = {"learning_rate": 0.5, **options}
    return facts, fastgd.train(net, *fastgd.data.gate("xor"), 60, params=net.init(0, "uniform"), rng=0, **options)


@pytest.mark.parametrize(("flags", "optimizer"), OPTIMIZERS)
def test_optimizer(command, flags, optimizer):
    facts, run = trained(command, flags, optimizer=optimizer)
    assert facts["cost"] == run.cost
    name = type(run.options["optimizer"]).__name__
    assert facts["options"]["optimizer"] == {name: vars(run.options["optimizer"])}


@pytest.mark.parametrize(("flags", "rate"), LEARNING_RATES)
def test_schedule(command, flags, rate):
    facts, run = trained(command, flags, learning_rate=rate)
    assert facts["cost"] == run.cost
    assert facts["options"]["learning_rate"] == (
        rate if isinstance(rate, float) else {type(rate).__name__: json.loads(json.dumps(vars(rate)))}
    )


def test_rates_one_by_one(command, refused):
    flags = "--schedule rates --rates 1,0.5,0.1 --decay-every 7"
    facts = json.loads(command("train", "--gate", "xor", "--epochs", 60, *flags.split(), "--json"))
    net = fastgd.MLP(2, 2, 1)
    run = fastgd.train(net, *fastgd.data.gate("xor"), 60, Rates((1, 0.5, 0.1), every=7), params=net.init(0, "uniform"), rng=0)
    assert facts["cost"] == run.cost
    assert facts["options"]["learning_rate"] == {"Rates": {"rates": [1, 0.5, 0.1], "every": 7}}
    arguments = ("train", "--gate", "xor", "--schedule", "rates")
    assert refused(*arguments, "--rates", "1,x") == "argument --rates: expected a finite number; got 'x' (see fastgd train --help)"
    both = refused(*arguments, "--rates", "1", "--learning-rate", "1")
    assert both == "--learning-rate is for other schedules than rates; got both"


def test_l2_and_clip_norm(command):
    facts, run = trained(command, "--l2 0.02 --clip-norm 0.05", l2=0.02, clip_norm=0.05)
    assert facts["cost"] == run.cost
    assert len({run.cost, *(trained(command, flags)[0]["cost"] for flags in ("--l2 0.02", "--clip-norm 0.05", ""))}) == 4


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        ("--l1 0.02 --l2 0.1,0.2", {"l1": 0.02, "l2": (0.1, 0.2)}),
        ("--dropout 0.3 --max-norm 2", {"dropout": 0.3, "max_norm": 2.0}),
        ("--dropout 0.3 --input-noise 0.1", {"dropout": 0.3, "input_noise": 0.1}),
    ],
)
def test_regularisation(command, flags, options):
    facts, run = trained(command, flags, **options)
    assert facts["cost"] == run.cost
    assert facts["options"] | json.loads(json.dumps(options)) == facts["options"]


def test_every_field_has_a_flag():
    """A field that a class gains is one more flag."""
    given = {type(optimizer): set() for _, optimizer in OPTIMIZERS if not isinstance(optimizer, str)}
    for flags, optimizer in OPTIMIZERS:
        if not isinstance(optimizer, str):
            given[type(optimizer)] |= set(flags.replace("--optimizer-eps", "--eps").split())
    missing = [field.name for kind, flags in given.items() for field in fields(kind) if f"--{field.name.replace('_', '-')}" not in flags]
    assert missing == []
    assert set(given) == set(optimizers.KINDS.values())


def test_names_are_those_of_the_classes():
    for kinds in (optimizers.KINDS, schedules.KINDS):
        assert [name.replace("_", "") for name in kinds] == [kind.__name__.lower() for kind in kinds.values()]
    assert [Cosine(0.1, 10).name, InverseTime(0.1, 2).name] == ["cosine", "inverse_time"]


@pytest.mark.parametrize(
    ("flags", "title", "text"),
    [
        ("", "training", "60 epochs of backprop, all rows at once, rate 0.5, seed 0"),
        ("--warmup 2", "training", "60 epochs of backprop, all rows at once, rate 0.5, constant (warmup 2), seed 0"),
        (
            "--schedule inverse_time --decay 1e-3 --batch-size 2",
            "training",
            "60 epochs of backprop, batches of 2, rate 0.5, inverse_time (decay 0.001, warmup 0), seed 0",
        ),
        (
            "--schedule piecewise --begins 10,30 --rates 0.2,0.1",
            "training",
            "60 epochs of backprop, all rows at once, rate 0.5, piecewise (begins 10 30, rates 0.2 0.1, warmup 0), seed 0",
        ),
        (
            "--schedule rates --rates 7,6,5,4,3,2,1",
            "training",
            "60 epochs of backprop, all rows at once, rate 7, rates (rates 7 6 5 4 3 ..., every 1), seed 0",
        ),
        ("--momentum 0.9 --nesterov", "update", "sgd (momentum 0.9, nesterov)"),
        ("--optimizer rmsprop --l2 0.01 --clip-norm 2", "update", "rmsprop (rho 0.99, eps 1e-08), l2 0.01, gradient clipped to norm 2"),
        ("--l2 0.01", "update", "l2 0.01"),
        ("--l2 0.01,0 --l1 1e-3 --dropout 0.2", "update", "l2 0.01, 0 by layer, l1 0.001, dropout 0.2"),
        ("--input-noise 0.1 --max-norm 2", "update", "input noise 0.1, weights of a unit of norm 2 at most"),
    ],
)
def test_summary(command, flags, title, text):
    rate = () if "rates 7" in flags else ("--learning-rate", 0.5)
    out = command("train", "--gate", "xor", "--epochs", 60, *rate, *flags.split())
    assert f"{title:<12}{text}" in out.splitlines()
    assert ("\nupdate " in out) == (title == "update")


def test_warmup_compiles_for_the_optimizer(tmp_path, monkeypatch, capsys):
    cache.entry.cache_clear()  # what an earlier test has loaded would not be written again
    monkeypatch.setenv("FASTGD_CACHE_DIR", str(tmp_path))
    tmp_path.chmod(0o700)
    monkeypatch.setattr("fastgd.kernels.serving", lambda net, method: ["unrolled"])
    assert main(["warmup", "--layers", "1-1", "--rows", "3", "--optimizer", "adagrad"]) == 0
    assert capsys.readouterr().out.startswith("unrolled ")
    warmed = [name for name, *_ in cache_folder.entries()]
    assert len(warmed) == 1

    def names_after(optimizer):
        run = fastgd.train(fastgd.MLP(1, 1), [0.0, 1.0, 2.0], [1.0, 0.0, 0.0], 5, rng=0, kernel="unrolled", optimizer=optimizer)
        assert np.isfinite(run.cost)
        return [name for name, *_ in cache_folder.entries()]

    assert names_after("adagrad") == warmed
    assert len(names_after("sgd")) == 2
    assert main(["warmup", "--layers", "1-1", "--optimizer", "adagrad", "--momentum", "0.9"]) == 2
    assert capsys.readouterr().err == "fastgd: error: --momentum is for sgd; got --optimizer adagrad\n"
