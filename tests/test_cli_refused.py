"""What the command refuses, in one line that names the flag, what came and what was expected."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "the following arguments are required: COMMAND (see fastgd --help)"),
        ("fly", "argument COMMAND: invalid choice: 'fly'"),
        ("train", "train needs a file or --gate, one of the two"),
        ("train houses.csv --gate or", "train needs a file or --gate, one of the two"),
        ("train --gate imply", "argument --gate: invalid choice: 'imply'"),
        ("train --gate or --target y", "--target names columns of a file; --gate has none"),
        ("train --gate or --inputs y", "--inputs names columns of a file; --gate has none"),
        ("train --gate or --task auto", "--task is for columns of a file; --gate has none"),
        ("train --gate or --scale-inputs range", "--scale-inputs is for columns of a file; --gate has none"),
        ("train --gate or --scale-targets none", "--scale-targets is for columns of a file; --gate has none"),
        ("train --gate or --out=", "--out must name a file; got ''"),
        ("train houses.csv --target price --layers 3-1 --out=", "--out must name a file; got ''"),
        ("predict run.npz houses.csv --out=", "--out must name a file; got ''"),
        ("train --gate or --layers 3-1", "--layers must begin with 2 and end with 1 for a gate; got 3-1"),
        ("train --gate or --layers 2,1", "argument --layers: expected widths like 4-8-3, inputs first; got '2,1'"),
        ("train --gate or --layers 2-0-1", "widths[1] must be a whole number of at least 1; got 0"),
        ("train --gate or --epochs -1", "epochs must be a whole number from 0"),
        ("train --gate or --epochs 1.5", "argument --epochs: expected a whole number; got '1.5'"),
        ("train --gate or --learning-rate nan", "argument --learning-rate: expected a finite number; got 'nan'"),
        ("train --gate or --learning-rate -inf", "argument --learning-rate: expected a finite number; got '-inf'"),
        ("train --gate or --eps -1e-3", "eps must be a positive, finite number; got -0.001"),
        ("race --eps -.5E+1", "eps must be a positive, finite number; got -5.0"),
        ("train --gate or --epochs -1e3", "epochs must be a whole number from 0"),
        ("train --gate or --learning-rate --eps", "argument --learning-rate: expected one argument"),
        ("train --gate or --eps 0", "eps must be a positive, finite number; got 0.0"),
        ("train --gate or --batch-size 5", "batch_size must be a whole number from 1 to 4; got 5"),
        ("train --gate or --seed -1", "argument --seed: expected a whole number from 0 to 2**63 - 1; got '-1'"),
        ("train --gate or --activation sellu", "unknown activation 'sellu'; known: "),
        ("train --gate or --loss mse", "unknown loss 'mse'; known: "),
        ("train --gate or --method magic", "argument --method: unknown name 'magic'; known: backprop, "),
        ("train --gate or --kernel magic", "argument --kernel: unknown name 'magic'; known: auto, "),
        ("train --gate or --init magic", "argument --init: unknown name 'magic'; known: auto, "),
        ("train --gate or --dtype float16", "argument --dtype: invalid choice: 'float16'"),
        ("train --gate or --out absent/run.npz", "--out can't be written: there is no folder absent"),
        ("train --gate or --out .", "--out must name a file; . is a folder"),
        ("train absent.csv --target a --layers 2-1", "absent.csv: No such file or directory"),
        ("train houses.csv --layers 3-1", "say what to learn: --target COLUMN; houses.csv has: area, rooms, same, price"),
        ("train houses.csv --target cost --layers 3-1", "target: houses.csv has no column 'cost'; it has: area, rooms, same, price"),
        ("train houses.csv --target price --inputs size --layers 1-1", "inputs: houses.csv has no column 'size'"),
        ("train houses.csv --target price", "say the widths of the network, such as --layers 3-8-1 for 3 inputs, 1 target (price)"),
        (
            "train houses.csv --target price --layers 4-1",
            "--layers must begin with 3 and end with 1 for 3 inputs, 1 target (price); got 4-1",
        ),
        (
            "train houses.csv --target price --layers 3-4-2 --loss gaussian_nll(0.1)",
            "--loss must be one of one output for each target; got gaussian_nll(0.1), which is of two",
        ),
        ("sweep --gate and --loss gaussian_nll --learning-rates 1", "--loss must be one of one output for each target; got gau"),
        (
            "train houses.csv --target price,rooms --layers 2-2 --loss gaussian_nll",
            "--loss must be one of one output for each target; got gaussian_nll, which is of two",
        ),
        (
            "train houses.csv --target price --layers 3-1 --epoch 100",
            "unrecognized arguments: --epoch 100; did you mean --epochs? (see fastgd train --help)",
        ),
        ("train --gate or --bogus=7", "unrecognized arguments: --bogus=7 (see fastgd train --help)"),
        ("train houses.csv --target price --layers 3-1 --out houses.csv", "--out would replace houses.csv, which is read"),
        ("train flowers.csv --target kind --layers 2-2", "column 'kind' holds 3 classes and needs 3 outputs; got 2"),
        ("train flowers.csv --target width --layers 2-1", "flowers.csv, line 2, column 'kind': expected a finite number; got 'rose'"),
        ("predict absent.npz houses.csv", "absent.npz: No such file or directory"),
        ("predict houses.csv houses.csv", "'houses.csv' is no whole fastgd run"),
        ("check --layers 3", "widths must be at least two numbers"),
        ("check --layers 3-1 --rows 0", "rows must be a whole number of at least 1; got 0"),
        ("check --layers 3-1 --eps 1e-1,0", "argument --eps: expected positive steps; got '1e-1,0'"),
        ("race --epochs -5", "epochs must be a whole number from 0"),
        ("race --eps -1", "eps must be a positive, finite number; got -1.0"),
    ],
)
def test_one_line(refused, flowers, line, arguments, message):
    assert refused(*arguments.split()).startswith(message)


@pytest.mark.parametrize("text", ["-1e-3", "-1", "-.5", "-2.", "-1.5E+2"])
def test_a_negative_rate_is_a_number(refused, monkeypatch, text):
    def tell(*_, learning_rate, **__):
        raise ValueError(f"rate {learning_rate}")

    monkeypatch.setattr("fastgd.training.train.train", tell)
    assert refused("train", "--gate", "or", "--learning-rate", text) == f"rate {float(text)}"


GATE = ("train", "--gate", "or")
FILE = ("train", "houses.csv", "--target", "price", "--layers", "3-1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "--optimizer magic",
            "argument --optimizer: unknown name 'magic'; known: adam, adamw, nadam, radam, adagrad, rmsprop, adadelta, sgd, rprop, lion",
        ),
        ("--momentum 0.9 --optimizer adam", "--momentum is for sgd; got --optimizer adam"),
        ("--nesterov --optimizer rprop", "--nesterov is for sgd; got --optimizer rprop"),
        ("--beta1 0.9", "--beta1 is for adam, adamw, nadam, radam, lion; got --optimizer sgd"),
        ("--beta2 0 --optimizer rmsprop", "--beta2 is for adam, adamw, nadam, radam, lion; got --optimizer rmsprop"),
        ("--rho 0.9 --optimizer adagrad", "--rho is for rmsprop, adadelta; got --optimizer adagrad"),
        ("--weight-decay 0 --optimizer adam", "--weight-decay is for adamw, sgd, lion; got --optimizer adam"),
        ("--optimizer-eps 1e-9", "--optimizer-eps is for adam, adamw, nadam, radam, adagrad, rmsprop, adadelta; got --optimizer sgd"),
        ("--step-max 1", "--step-max is for rprop; got --optimizer sgd"),
        ("--momentum 1", "momentum of SGD must be a finite number from 0 to below 1; got 1.0"),
        ("--nesterov", "nesterov of SGD needs a momentum above 0"),
        ("--schedule magic", "argument --schedule: unknown name 'magic'; known: constant, step, exponential, inverse_time, cosine"),
        ("--decay-every 10", "--decay-every is for step, rates; got --schedule constant"),
        ("--decay-factor 0.1", "--decay-factor is for step, exponential, plateau; got --schedule constant"),
        ("--least-rate 0 --schedule step --decay-every 1", "--least-rate is for cosine, cosine_restarts, plateau; got --schedule step"),
        ("--schedule step", "--schedule step needs --decay-every"),
        ("--schedule exponential", "--schedule exponential needs --decay-factor"),
        ("--schedule inverse_time", "--schedule inverse_time needs --decay"),
        ("--schedule cosine", "--schedule cosine needs --cosine-steps"),
        ("--warmup -1", "warmup of Constant must be a whole number from 0"),
        ("--schedule cosine --cosine-steps 0", "steps of Cosine must be a whole number from 1"),
        ("--l2 -1", "l2 must be a finite number of at least 0; got -1.0"),
        ("--clip-norm 0", "clip_norm must be a positive, finite number; got 0.0"),
        ("--target-cost low", "argument --target-cost: expected a finite number; got 'low'"),
        ("--patience 0", "patience must be a whole number from 1"),
        ("--min-delta 0.1", "--min-delta is for --patience N; none is given"),
        ("--min-delta -1 --patience 3", "min_delta must be a finite number of at least 0; got -1.0"),
        ("--max-seconds 5d", "argument --max-seconds: expected seconds, or a time like 90s, 10m or 2h; got '5d'"),
        ("--max-seconds -5s", "argument --max-seconds: expected one argument"),
        ("--max-seconds m", "argument --max-seconds: expected seconds, or a time like 90s, 10m or 2h; got 'm'"),
        ("--checkpoint-every -1 --checkpoint c.npz", "argument --checkpoint-every: expected seconds, or a time like 90s"),
        ("--record 1", "record must be a whole number of at least 2; got 1"),
        ("--spacing odd", "argument --spacing: unknown name 'odd'; known: even, log"),
        ("--threads 0", "threads must be a whole number of at least 1; got 0"),
        ("--resume", "--resume is for --checkpoint; none is given"),
        ("--checkpoint-every 5", "--checkpoint-every is for --checkpoint; none is given"),
        ("--checkpoint=", "--checkpoint must name a file; got ''"),
        ("--checkpoint .", "--checkpoint must name a file; . is a folder"),
        ("--checkpoint absent/c.npz", "--checkpoint can't be written: there is no folder absent"),
        ("--checkpoint c.npz --out ./c.npz", "--out and --checkpoint must be two files; got ./c.npz and c.npz"),
        ("--validation 1", "--validation must be a share of the rows between 0 and 1, or a file; got '1'"),
        ("--validation -0.1", "--validation must be a share of the rows between 0 and 1, or a file; got '-0.1'"),
        ("--validation nan", "--validation must be a share of the rows between 0 and 1, or a file; got 'nan'"),
        ("--validation 0.01", "validation must be (X, Y) or a share of the rows that leaves some for both; got 0.01 of 4 rows"),
        ("--validation rows.csv", "--validation must be a share of the rows; got 'rows.csv'"),
        ("--sample-weight w", "--sample-weight names columns of a file; --gate has none"),
        ("--activation=", "unknown activation ''; known: "),
        ("--output=", "unknown output ''; known: "),
        ("--loss=", "unknown loss ''; known: "),
        ("--init=", "argument --init: unknown name ''; known: "),
    ],
)
def test_training_flags(refused, arguments, message):
    assert refused(*GATE, *arguments.split()).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--validation=", "--validation must be a share of the rows, or a file; got ''"),
        ("--validation absent.csv", "absent.csv: No such file or directory"),
        ("--validation flowers.csv", "flowers.csv has no column 'area', 'rooms', 'same'; it has: length, width, kind"),
        ("--checkpoint houses.csv", "--checkpoint would replace houses.csv, which is read; name another file"),
        ("--validation flowers.csv --checkpoint flowers.csv", "--checkpoint would replace flowers.csv, which is read"),
        ("--validation flowers.csv --out flowers.csv", "--out would replace flowers.csv, which is read"),
        ("--sample-weight w", "--sample-weight: houses.csv has no column 'w'; it has: area, rooms, same, price"),
        ("--sample-weight price", "column 'price' can't be a target and --sample-weight"),
        ("--sample-weight same --inputs area,rooms,same", "column 'same' can't be an input and --sample-weight"),
        ("--sample-weight same", "--layers must begin with 2 and end with 1 for 2 inputs, 1 target (price); got 3-1"),
        ("--activation=", "unknown activation ''; known: "),
        ("--output=", "unknown output ''; known: "),
    ],
)
def test_training_flags_of_files(refused, flowers, line, arguments, message):
    assert refused(*FILE, *arguments.split()).startswith(message)


@pytest.mark.parametrize("flag", ["--out", "--checkpoint"])
def test_files_are_refused_before_anything_is_read(refused, monkeypatch, flag):
    monkeypatch.setattr("fastgd.data.columns.read_columns", lambda *_: pytest.fail("read first"))
    assert refused(*FILE, flag, "absent/run.npz") == f"{flag} can't be written: there is no folder absent"
