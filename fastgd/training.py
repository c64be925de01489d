"""train(): arguments checked, a loop started or taken up again, and between its chunks everything that Python does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from fastgd.checkpoint import Checkpoint, check_same
from fastgd.checks import finite_number, seed_of, truth, whole_number
from fastgd.continuing import taken_up
from fastgd.interrupt import Interrupt
from fastgd.loop import Loop
from fastgd.names import KERNELS, check_name
from fastgd.network import MLP
from fastgd.optimizers import Optimizer
from fastgd.options import check_options
from fastgd.progress import Bar, Progress, reporter
from fastgd.run import DivergedError, History, Run
from fastgd.samples import apart, check_samples, check_validation
from fastgd.schedules import Schedule
from fastgd.state import MOST


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
    l2: float = 0.0,
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
    progress: bool | Callable[[Progress], object] = False,
    callback: Callable[[Progress], object] | None = None,
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
        Arrays of the network's dtype are used where they are, not copied: leave them alone while training runs.
    epochs : int
        Passes over the rows. With `params=run`, further ones.
    learning_rate : float or Schedule
        A number, or how it changes: `fastgd.schedules`.
    params : (n_params,) array_like or Run, optional
        Initial parameters, `net.init(rng)` if not given. A Run goes on where it ended, at its latest parameters: its seed, its count of
        epochs, its history, what its optimizer keeps. With the same options, the result is that of one longer run.
    rng : int, numpy Generator or None
        Seed of the initial parameters, of the order of rows and of validation rows; None draws one. Same seed, same bits.
    method : str
        backprop (exact), layerwise (a factor 2 at every layer, notes 002 (52)), finite_difference (notes 002 (1)) or central_difference.
    eps : float
        Step of the two difference methods.
    batch_size : int, optional
        Rows of a batch, notes 004 Algorithm 1; None takes all rows at once. The last batch of an epoch may be short.
    shuffle : bool
        Whether the rows of mini-batches are put in a new order every epoch.
    optimizer : str or Optimizer
        sgd, adagrad, rmsprop, adam, adamw or rprop, or an object such as `fastgd.SGD(momentum=0.9)`; meanings and defaults are PyTorch's.
    kernel : str
        auto, matrix (any network) or unrolled (small ones, several times faster, compiled for each). auto chooses by the arguments alone,
        and unrolls where training would take longer than compiling; after a Run it is the Run's.
    l2 : float
        l2 * w is added to the gradient of weights, not of biases. Reported costs are of the data alone.
    clip_norm : float, optional
        Largest norm of the gradient; a longer one is shortened to it before l2 is added.
    sample_weight : (n,) array_like, optional
        What each row weighs in the mean of a batch; 0 leaves it out.
    validation : (X, Y) or float, optional
        Rows that are not trained on, given or as a share of the rows, drawn by the seed. Their cost is in `history.validation`, and
        the stop rules watch it instead of the training cost.
    target_cost : float, optional
        Stop when the watched cost is at most this.
    patience : int, optional
        Stop after this many epochs in which the watched cost has not become less than the least one by more than `min_delta`.
    restore_best : bool
        Whether `run.params` are those of the least watched cost instead of the latest.
    max_seconds : float, optional
        Stop when this call has trained for so long, within a tenth of a second.
    record : int
        Most points of the history; the first and the last epoch are always among them.
    spacing : str
        even (a power of two epochs apart, which doubles when the history is full) or log (ever further apart).
    progress : bool or callable
        True shows a bar on stderr, if that is a terminal; a function is called between chunks with a `Progress`.
    callback : callable, optional
        Called between chunks, every 50 ms or so, with a `Progress`; returning True stops the run.
    checkpoint : path, optional
        A file that holds the run so far, replaced whole every `checkpoint_every` seconds and at the end; `fastgd.load_run` reads it too.
    resume : bool
        Go on from the checkpoint if there is one, to the bits of an uninterrupted run. Everything but `epochs`, `max_seconds`, `progress`,
        `callback` and `checkpoint_every` must be as before.
    on_interrupt : str
        What the first Ctrl-C does after writing the checkpoint: return the run so far, or raise KeyboardInterrupt.
    threads : int, optional
        Most threads to use. Results do not depend on it.

    Returns
    -------
    Run

    Raises
    ------
    ValueError, TypeError, OSError
        For bad arguments, or a checkpoint that can't be written, before anything is compiled.
    DivergedError
        When a cost or a parameter stops being finite; it carries the last good run.

    Notes
    -----
    In mini-batches the cost of an epoch is the mean over its batches, and belongs to the parameters at its end for the stop rules.
    """
    if not isinstance(net, MLP):
        raise TypeError(f"net must be an MLP; got {net!r}")
    samples = check_samples(net, X, Y, sample_weight)
    held_out = check_validation(net, validation, len(samples.X))
    n = len(samples.X) - (round(held_out * len(samples.X)) if isinstance(held_out, float) else 0)
    epochs = whole_number("epochs", epochs, least=0, most=MOST)
    options = check_options(
        net, n,
        {
            "method": method, "learning_rate": learning_rate, "eps": eps, "batch_size": batch_size, "shuffle": shuffle,
            "optimizer": optimizer, "l2": l2, "clip_norm": clip_norm, "target_cost": target_cost, "patience": patience,
            "min_delta": min_delta, "restore_best": restore_best, "record": record, "spacing": spacing,
        },
    )  # fmt: skip
    check_name("kernel", kernel, KERNELS)
    tell = reporter(progress)
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be a function or None; got {callback!r}")
    if max_seconds is not None:
        max_seconds = finite_number("max_seconds", max_seconds, least=0.0)
    checkpoint_every = finite_number("checkpoint_every", checkpoint_every, least=0.0)
    check_name("on_interrupt", on_interrupt, ("return", "raise"))
    if threads is not None:
        whole_number("threads", threads, least=1)
    if truth("resume", resume) and checkpoint is None:
        raise ValueError("resume=True goes on from a checkpoint; name its file with checkpoint=")
    if not isinstance(checkpoint, (str, os.PathLike, type(None))):
        raise TypeError(f"checkpoint must be a path or None; got {checkpoint!r}")
    if params is not None and not isinstance(params, Run):
        params = net.check_params(params)
    file = None if checkpoint is None else Checkpoint.of(checkpoint, checkpoint_every, samples, held_out)

    resumed = file.load() if file is not None and resume else None
    before = resumed if resumed is not None else params if isinstance(params, Run) else None
    what = "params" if resumed is None else f"checkpoint {str(checkpoint)!r}"
    if before is not None and before.net != net:
        raise ValueError(f"{what} must be a Run of {net}; got one of {before.net}")
    last = whole_number("epochs", epochs + (params.epochs if isinstance(params, Run) else 0), least=0, most=MOST)
    if resumed is not None and resumed.epochs > last:
        raise ValueError(f"epochs must be at least {resumed.epochs - last + epochs} to go on from {what}; got {epochs}")
    seed = before.seed if before is not None and rng is None else seed_of(rng)
    if before is not None:
        values = before.params
    else:
        values = params if isinstance(params, np.ndarray) else net.init(seed)

    from fastgd import kernels

    samples, held_out = apart(samples, held_out, seed)
    if before is not None and kernel == "auto" and before.kernel in kernels.serving(net, method):
        kernel = before.kernel
    plan = kernels.make_plan(net, n, options, kernel, epochs, weighted=len(samples.weights) > 0, validated=held_out is not None)
    run = Run(
        net, values.copy(), np.nan, 0, before.seconds if before else 0.0, plan.kernel, seed, "epochs",
        History(np.zeros(0, np.int64), np.zeros(0)), options.to_dict(), table=before.table if before else None,
    )  # fmt: skip
    if resumed is not None:
        check_same(resumed, run, str(checkpoint))
    bound = kernels.load(plan, options, samples, held_out)
    state = bound.start(values)
    if before is not None:
        going_on = taken_up(before, state, options, plan.batches) if resumed is None or resumed.state is None else resumed.state
        if not going_on.widened(bound.size).fits(state, plan.batches):
            raise ValueError(f"{what} can't be gone on from: its state is not one of such a training")
        state = going_on
    loop = Loop(run, bound, state, last)
    if file is not None:
        file.prepare(replace(run, state=loop.state))

    with ExitStack() as stack:
        stack.enter_context(kernels.one_blas_thread(plan))
        if isinstance(tell, Bar):
            stack.enter_context(tell)
        interrupt = stack.enter_context(Interrupt())
        loop.compile()
        try:
            run = loop.finished(_go(loop, interrupt, tell, callback, max_seconds, file))
        except BaseException as error:
            if file is not None and not isinstance(error, DivergedError):
                file.save(loop.so_far("interrupt"))
            raise
        if file is not None:
            file.save(run)
    if interrupt.asked and on_interrupt == "raise":
        raise KeyboardInterrupt
    return run


def _go(
    loop: Loop,
    interrupt: Interrupt,
    tell: Callable[[Progress], object] | None,
    callback: Callable[[Progress], object] | None,
    max_seconds: float | None,
    file: Checkpoint | None,
) -> str | None:
    """Train to the end, or to what ends it between two chunks; what that was."""
    start = time.monotonic()
    if interrupt.asked:  # while compiling
        return "interrupt"
    for _ in loop.chunks():
        answer = None
        if tell is not None or callback is not None:
            progress = Progress(loop.state.epoch, loop.epochs, loop.latest_cost, loop.seconds, loop.params.copy())
            if tell is not None:
                tell(progress)
            answer = callback(progress) if callback is not None else None
        if loop.is_done:
            break
        if isinstance(answer, (bool, np.bool_)) and answer:
            return "callback"
        if interrupt.asked:
            return "interrupt"
        if max_seconds is not None and time.monotonic() - start >= max_seconds:
            return "max_seconds"
        if file is not None and file.is_due:
            file.save(loop.so_far("interrupt"))
    return None
