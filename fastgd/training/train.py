"""train(): arguments checked, what it goes on from, the loop, and the run that the loop ends in."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.advice import params_array
from fastgd.arguments.checks import whole_number
from fastgd.arguments.choices import check_name
from fastgd.mlp import MLP, check_net
from fastgd.names import KERNELS
from fastgd.optimizers import Optimizer
from fastgd.options import Options
from fastgd.samples import apart, check_samples, check_validation
from fastgd.schedules import Schedule
from fastgd.state import MOST
from fastgd.system.float_errors import quiet
from fastgd.training.checkpoint import checkpoint_of_run
from fastgd.training.history import History
from fastgd.training.likely_mistakes import warn_of_equal_units, warn_of_targets
from fastgd.training.loop import Loop
from fastgd.training.on_page import page_of
from fastgd.training.progress import Progress
from fastgd.training.resume import check_checkpoint_of, gone_on, origin_of, seed_and_last
from fastgd.training.run import Run
from fastgd.training.session import check_session

_NO_HISTORY = History(np.zeros(0, np.int64), np.zeros(0))


@quiet
def train(
    net: MLP,
    X: ArrayLike,
    Y: ArrayLike,
    epochs: int,
    learning_rate: float | Schedule = 0.1,
    *,
    params: ArrayLike | Run | None = None,
    rng: int | np.random.Generator | None = None,
    method: str = "backprop",
    eps: float = 1e-3,
    batch_size: int | None = None,
    shuffle: bool = True,
    optimizer: str | Optimizer = "sgd",
    kernel: str = "auto",
    l2: float | ArrayLike = 0.0,
    l1: float | ArrayLike = 0.0,
    dropout: float | ArrayLike = 0.0,
    max_norm: float | None = None,
    input_noise: float = 0.0,
    clip_norm: float | None = None,
    sample_weight: ArrayLike | None = None,
    validation: tuple[ArrayLike, ArrayLike] | float | None = None,
    target_cost: float | None = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    restore_best: bool = False,
    max_seconds: float | None = None,
    record: int = 1000,
    spacing: str = "even",
    progress: bool | str | Callable[[Progress], object] = False,
    callback: Callable[[Progress], object] | Sequence[Callable[[Progress], object]] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 60.0,
    resume: bool = False,
    on_interrupt: str = "return",
    threads: int | None = None,
) -> Run:
    """Train a network: every epoch runs inside compiled code.

    Parameters
    ----------
    net : MLP
    X, Y : array_like, (n, inputs) and (n, outputs); 1-D is one column
        Frames and series of pandas and polars too. Large arrays of the network's dtype are used
        where they are, not copied: leave them alone while training runs; others are copied once. X
        may be a `numpy.memmap` of that dtype, larger than memory. It is read once, block by block,
        to check it. Its mini-batches are then drawn from windows of 16 MiB, each of 64 blocks of
        neighbouring rows that are chosen anew every epoch: rows far apart in the file may meet in a
        batch, but shuffle a file that is sorted by class.
    epochs : int
        Passes over the rows. With `params=run`, further ones.
    learning_rate : float or Schedule
        A number, or how it changes: `fastgd.schedules`.
    params : (n_params,) array_like or Run, optional
        Initial parameters, `net.init(rng)` if not given. A Run goes on where it ended, at its
        latest parameters: its seed, its count of epochs, its history, what its optimizer keeps.
        With the same options, the result is that of one longer run.
    rng : int, numpy Generator or None
        Seed of the initial parameters, of the order of rows and of validation rows; None draws one.
        Same seed, same bits.
    method : str
        backprop (exact), layerwise (a factor 2 at every layer, notes 002 (52)), finite_difference
        (notes 002 (1)) or central_difference.
    eps : float
        Step of the two difference methods.
    batch_size : int, optional
        Rows of a batch, notes 004 Algorithm 1; None takes all rows at once. The last batch of an
        epoch may be short.
    shuffle : bool
        Whether the rows of mini-batches are put in a new order every epoch.
    optimizer : str or Optimizer
        sgd, adagrad, adadelta, rmsprop, adam, adamw, nadam, radam, lion or rprop, or an object such
        as `fastgd.SGD(momentum=0.9)`; meanings and defaults are PyTorch's.
    kernel : str
        auto, matrix (any network) or unrolled (small ones, several times faster, compiled for
        each, without dropout, max_norm and input_noise). auto chooses by the arguments alone, and
        unrolls where that gains more time than compiling takes, or comes with the package; after a
        Run it is the Run's.
    l2, l1 : float or (layers,) array_like
        l2 w + l1 sign(w) is added to the gradient of weights, not of biases: for all layers, or one
        for each. Reported costs are of the data alone.
    dropout : float or (hidden layers,) array_like
        Share of the activations of hidden layers that are 0 in an update, chosen anew for each row
        in every epoch by the seed; the others are divided by 1 - share. Predictions and run.cost
        are of the whole network, and so is the history in full batch, which takes a pass more where
        a cost is looked at; in mini-batches its costs are those that updates were made by.
        Difference methods perturb the network that is left.
    max_norm : float, optional
        Largest norm of the weights that come into a unit; longer ones are shortened to it after
        each update.
    input_noise : float
        Standard deviation of what is added to each input in an update, drawn anew for each row in
        every epoch by the seed. Costs are as with dropout.
    clip_norm : float, optional
        Largest norm of the gradient; a longer one is shortened to it before l2 is added.
    sample_weight : (n,) array_like, optional
        What each row weighs in the mean of a batch; 0 leaves it out.
    validation : (X, Y) or float, optional
        Rows that are not trained on, given or as a share of the rows, drawn by the seed: of each
        class by its part where targets are one-hot, or 0 and 1 in one column, with two rows of each
        class or more. Their cost is in `history.validation`, and the stop rules watch it instead of
        the training cost. Where none does, it may stop being finite while training goes on.
    target_cost : float, optional
        Stop when the watched cost is at most this.
    patience : int, optional
        Stop after this many epochs in which the watched cost has not become less than the least one
        by more than `min_delta`.
    restore_best : bool
        Whether `run.params` are those of the least watched cost instead of the latest.
    max_seconds : float, optional
        Stop when this call has trained for so long, within a tenth of a second.
    record : int
        Most points of the history; the first and the last epoch are always among them.
    spacing : str
        even (a power of two epochs apart, which doubles when the history is full) or log (ever
        further apart).
    progress : bool, "page" or callable
        True shows a bar on stderr, if that is a terminal, or in a notebook; "page" serves a page to
        this machine alone while training goes on, with costs, network and surface, says its address
        on stderr and opens a browser there; a function is called between chunks with a `Progress`.
    callback : callable or list of callables, optional
        Called between chunks, every 50 ms or so, with a `Progress`; returning True stops the run,
        None or False does not, anything else is refused. One that has a method `ended` is told the
        run when training has ended, or None where an error ended it. `fastgd.callbacks` has some.
    checkpoint : path, optional
        A file that holds the run so far, replaced whole every `checkpoint_every` seconds and at the
        end; `fastgd.load_run` reads it too.
    resume : bool
        Go on from the checkpoint if there is one, to the bits of an uninterrupted run. Everything
        but `epochs`, `max_seconds`, `progress`, `callback` and `checkpoint_every` must be as
        before.
    on_interrupt : str
        What the first Ctrl-C does after writing the checkpoint: return the run so far, or raise
        KeyboardInterrupt.
    threads : int, optional
        Most threads to use, all processors if not given, or OMP_NUM_THREADS where that is less.
        Only updates of the matrix kernel that take some microseconds are shared out. Results do not
        depend on it: batches are cut in parts of their rows, layers in slices of their units, or a
        hidden layer in halves, as the arguments alone say, and each piece is the work of one
        thread. They are Python threads, started before the second update, or the first if it is
        long, unless less than a millisecond of work is left, and ended with the call; while they
        wait for each other they keep their processors busy for some 50 us, then give way.

    Returns
    -------
    Run

    Raises
    ------
    ValueError, TypeError, OSError
        For bad arguments, or a checkpoint that can't be written, before anything is compiled.
    RuntimeWarning
        Before training, where it is likely to learn nothing: targets to which outputs come no
        nearer than their mean does, targets for cross_entropy that do not sum to 1, classes of 0
        and 1 for hinge, hidden units that stay alike.
    DivergedError
        When a parameter, the cost, or a validation cost that stop rules watch stops being finite;
        it carries the last good run.

    Notes
    -----
    Memory beyond X and Y: 8 bytes a row where rows are shuffled, up to eight gradients, and blocks
    of 256 rows of every layer for each thread. The unrolled kernel puts the rows of a full batch in
    an order of its own, a copy of X and Y. Where a share of the rows is for validation, both parts
    are copied, unless X and Y are copies already, which are divided in their place. Up to 64 MiB of
    such memory, X and Y apart, is kept for further calls.

    In mini-batches the cost of an epoch is the mean over its batches, and belongs to the parameters
    at its end for the stop rules.

    Examples
    --------
    >>> X, Y = fastgd.data.gate("xor")
    >>> run = fastgd.train(fastgd.MLP(2, 2, 1), X, Y, epochs=10_000, learning_rate=1.0, rng=1)
    >>> run.predict(X).round(2).ravel()
    array([0.02, 0.98, 0.98, 0.02])
    """
    given = dict(locals())  # all arguments by name
    check_net(net, "train")
    samples = check_samples(net, X, Y, sample_weight)
    held_out = check_validation(net, validation, samples)
    n = len(samples.X) - (round(held_out * len(samples.X)) if isinstance(held_out, float) else 0)
    epochs = whole_number("epochs", epochs, least=0, most=MOST)
    whole_number("record", record, least=2)
    options = Options.of(given, net, n)
    check_name("kernel", kernel, KERNELS)
    checkpoint_of = partial(checkpoint_of_run, net, samples, held_out)
    session = check_session(given, checkpoint_of, partial(page_of, net, samples, method))
    threads = None if threads is None else whole_number("threads", threads, least=1)
    if params is not None and not isinstance(params, Run):
        params = params_array(net, params, (net.n_params,))

    origin = origin_of(Run, params, session.file if resume else None)
    seed, last = seed_and_last(net, rng, epochs, origin)
    before = origin.before
    if before is not None:
        initial = before.params
    else:
        initial = params if isinstance(params, np.ndarray) else net.init(seed)
    further = origin.further
    if epochs and (further is None or further.state is None):  # which was warned of before
        warn_of_targets(net, samples)
        warn_of_equal_units(net, initial)
    import fastgd.kernels as kernels

    trained, held_out = apart(samples, held_out, seed, (X, Y, sample_weight))
    del samples, checkpoint_of  # the kernel keeps what it needs of them
    plan = kernels.plan_for(
        net, trained, options, kernel, epochs, before.kernel if before else None,
        validated=held_out is not None,
    )  # fmt: skip
    run = Run(
        net, initial, np.nan, 0, before.seconds if before else 0.0, plan.kernel, seed,
        "epochs", _NO_HISTORY, options.to_dict(),
        table=before.table if before else None,
    )  # fmt: skip
    check_checkpoint_of(origin, run)
    key, bound = kernels.take(plan, options, trained, held_out, threads)
    del trained, held_out
    state = gone_on(origin, bound.begin(initial), options, plan.batches)
    run = Loop(run, bound, state, last).train(session)
    kernels.put_back(key, bound)
    return run
