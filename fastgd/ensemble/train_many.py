"""train_many(): many copies of a network at once, each free to differ."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.checks import whole_number
from fastgd.arguments.choices import check_name
from fastgd.ensemble.folder import checkpoint_of_runs
from fastgd.ensemble.on_threads import OnThreads
from fastgd.ensemble.resume import gone_on, origin_of_many, to_train_to
from fastgd.ensemble.runs import Runs
from fastgd.ensemble.settings import check_optimizers, check_settings, count_members, differing
from fastgd.ensemble.shards import check_client, train_in_shards
from fastgd.ensemble.side_by_side import InLanes
from fastgd.mlp import MLP, check_net
from fastgd.names import KERNELS
from fastgd.optimizers import Optimizer, Rprop, most_general
from fastgd.options import Options
from fastgd.samples import check_samples, on_disk
from fastgd.schedules import Schedule
from fastgd.system.float_errors import quiet
from fastgd.training.likely_mistakes import warn_of_equal_units, warn_of_targets
from fastgd.training.progress import ManyProgress
from fastgd.training.session import check_session


@quiet
def train_many(
    net: MLP,
    X: ArrayLike,
    Y: ArrayLike,
    epochs: int | ArrayLike,
    learning_rate: float | Schedule | ArrayLike | Sequence[float | Schedule] = 0.1,
    *,
    params: ArrayLike | Runs | None = None,
    members: int | None = None,
    rng: int | np.random.Generator | ArrayLike | None = None,
    method: str = "backprop",
    eps: float = 1e-3,
    batch_size: int | None = None,
    shuffle: bool = True,
    optimizer: str | Optimizer | Sequence[str | Optimizer] = "sgd",
    kernel: str = "auto",
    l2: float | ArrayLike = 0.0,
    l1: float | ArrayLike = 0.0,
    dropout: float | ArrayLike = 0.0,
    max_norm: float | ArrayLike | None = None,
    input_noise: float | ArrayLike = 0.0,
    clip_norm: float | ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    target_cost: float | ArrayLike | None = None,
    patience: int | ArrayLike | None = None,
    min_delta: float | ArrayLike = 0.0,
    max_seconds: float | None = None,
    record: int = 0,
    spacing: str = "even",
    progress: bool | Callable[[ManyProgress], object] = False,
    callback: Callable[[ManyProgress], object]
    | Sequence[Callable[[ManyProgress], object]]
    | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 60.0,
    resume: bool = False,
    on_interrupt: str = "return",
    threads: int | None = None,
    client: Any = None,
) -> Runs:
    """Train many members, each of which may differ from the others. What is not said here is as in
    `train`.

    An argument with one value for each member says how many there are: (members,) `epochs`,
    `learning_rate`, `optimizer`, `l2`, `l1`, `dropout`, `max_norm`, `input_noise`, `clip_norm`,
    `target_cost`, `patience`, `min_delta` or `rng`; (members, n_params) `params`; (members, n,
    inputs) `X`; (members, n, outputs) `Y`; (members, n) `sample_weight`, for a bootstrap. Where
    none has, `members` does.

    Parameters
    ----------
    rng : int, (members,) array_like of int, numpy Generator or None
        From an int, member i has the seed rng + i; a Generator draws one for each; None draws the
        first.
    params : (n_params,) or (members, n_params) array_like, or Runs, optional
        Initial parameters, `net.init(seed)` of each member's seed if not given; or runs to go on
        from, for `epochs` further ones.
    learning_rate : float, Schedule or (members,) sequence of these
        Members may have schedules of different kinds.
    optimizer : str, Optimizer or (members,) sequence of these
        Of one kind for all, whose numbers may differ. SGD with momentum and without it are one
        kind.
    l2, l1, dropout : float, (members,) or (members, layers) array_like
        For all layers of a member, or one for each, of `dropout` for each hidden one. Members whose
        l2 or l1 differ by layer have loops of their own.
    clip_norm, max_norm : float, None or (members,) array_like
        In an array, inf stands for none.
    record : int
        0 for no history but the final cost, or the most points that each member's history has, as
        in `train`, with its `spacing`. In lanes a point interrupts the loop for all members that
        train beside its own, for about a microsecond: to a small network in full batch that is many
        epochs.
    kernel : str
        lanes (small networks: every vector instruction trains several members), matrix or unrolled
        (each member by `train`, on threads). auto chooses lanes where they gain more time than
        compiling them takes, or come with the package.
    progress, callback : callable, or for the latter a list of callables
        Called every 50 ms with a `ManyProgress`.
    checkpoint : path, optional
        A file that holds all members so far, replaced whole every `checkpoint_every` seconds and at
        the end; `fastgd.load_runs` reads it too. Members that had not ended have a cost of NaN in
        one that was written on the way.
    resume : bool
        Go on from the checkpoint if there is one, to the bits of an uninterrupted training. All
        must be as before but `epochs`, which may be raised, and `threads`, `max_seconds`,
        `progress`, `callback` and `checkpoint_every`.
    threads : int, optional
        All processors if not given, or OMP_NUM_THREADS where that is less; where there is a
        `client`, of each shard, 1 if not given. Results do not depend on it.
    client : dask.distributed.Client or "joblib", optional
        Where to train: members are cut into shards, a matter of the arguments alone, each of which
        is trained by one call there, to the same bits as here. "joblib" is the backend that
        `joblib.parallel_config` has set. `checkpoint` names a folder then, which all workers must
        see; a shard whose worker is lost goes on from its file there. Shards look once a second
        whether they are to stop. With joblib, progress and callback are told after each shard, and
        Ctrl-C raises.

    Returns
    -------
    Runs

    Notes
    -----
    Member i equals `train` with its seed and options: bit for bit in the matrix and unrolled
    kernels, whose loop is that of `train` with the same kernel. In lanes it is equal to rounding,
    since sums over samples are added in another order; the member's bits depend neither on the
    other members, nor on how many there are, nor on threads. But one loop serves all: whether any
    of them asks for a momentum, a schedule, l2 or clipping may change the last bits of the others.
    Stop rules act at the exact epoch.

    A member that ends makes room for the next one that waits, so that members that stop early cost
    no more than their own epochs. One that diverges is no error: it is marked, and keeps its
    parameters of the last epoch after which they and its cost were finite. In lanes, in full batch
    without stop rules, that is looked at every so often, as the course of all has it: a cost that
    is infinite on the way, and finite again at the next look, may pass.

    In lanes, a member needs 300 bytes beside its parameters, twice, and what the optimizer keeps,
    and 16 for a point of its history.

    Examples
    --------
    >>> net, (X, Y) = fastgd.MLP(2, 2, 1), fastgd.data.gate("xor")
    >>> rates = np.geomspace(0.1, 10, 6)
    >>> runs = fastgd.train_many(net, X, Y, 5000, rates, rng=0, target_cost=1e-2)
    >>> runs.stopped_by.tolist()
    ['epochs', 'epochs', 'target_cost', 'target_cost', 'epochs', 'target_cost']
    >>> runs.best.predict(X).round().ravel()
    array([0., 1., 1., 0.])
    """
    given = dict(locals())  # all arguments by name
    check_net(net, "train_many")
    if members is None and isinstance(params, Runs):
        given["members"] = len(params)
    samples = check_samples(net, X, Y, sample_weight, of_members=True)
    count, n = count_members(net, given), samples.X.shape[-2]
    optimizers = check_optimizers(optimizer)
    check_name("kernel", kernel, KERNELS)
    if client is not None:
        check_client(client)
        if on_disk(samples.X):
            raise ValueError("X must be in memory where there is a client; got a memmap")
    checkpoint_of = partial(checkpoint_of_runs, net, samples, client is not None)
    session = check_session(given, checkpoint_of)
    threads = None if threads is None else whole_number("threads", threads, least=1)
    origin, given = origin_of_many(net, given, count, session.file if resume else None)
    settings = check_settings(net, count, given, optimizers)
    common = settings.common_options(differing(given)) | {"optimizer": most_general(optimizers)}
    options = Options.of(given | common, net, n)
    if isinstance(options.optimizer, Rprop) and settings.rates.min() <= 0:
        raise ValueError(
            "learning_rate must be above 0 for optimizer Rprop, its first step; got "
            f"{settings.rates.min():g}"
        )
    if origin.before is None and settings.epochs.any():
        warn_of_targets(net, samples)
        warn_of_equal_units(net, settings.params)

    from fastgd import kernels

    before = origin.before
    plan = kernels.plan_for(
        net, samples, options, kernel, int(settings.epochs.sum()),
        before.kernel if before else None, members=count,
    )  # fmt: skip
    begun = Runs.at_start(net, plan.kernel, options, to_train_to(origin, settings))
    runs = gone_on(origin, begun, plan.batches)
    work = (InLanes if plan.kernel == "lanes" else OnThreads)(plan, samples, runs, threads)
    return work.train(session) if client is None else train_in_shards(client, work, session)
