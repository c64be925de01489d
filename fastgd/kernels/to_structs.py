"""Networks, rows, options and states, as the structs that kernels are given."""

import math
from collections.abc import Iterable

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.arguments.per_layer import PerLayer, is_asked, of_layers
from fastgd.kernels.codes import CALLED, HELD_OUT_COST, IN_KERNEL, NOTHING, TRAINING_COST
from fastgd.kernels.function_code import number_of
from fastgd.kernels.structs import Course, Data, NetworkStruct, Noise, Rule
from fastgd.network import Network
from fastgd.optimizers.optimizer import made_of
from fastgd.options import Options
from fastgd.samples import Samples, on_disk
from fastgd.schedules import KINDS, as_schedule
from fastgd.state import MOST, State, aligned

# bytes of a block of rows that are read from disk together, and how many are mixed
_DISK_BLOCK, _DISK_BLOCKS = 2**18, 64


def _integers(values: Iterable[int]) -> Array:
    return np.array(list(values), np.int64)


def network_of(net: Network) -> NetworkStruct:
    """A network in numbers."""
    smoothing = net.loss_function.smoothing
    return NetworkStruct(
        layers=len(net.layers),
        n_params=net.n_params,
        widths=_integers(net.widths),
        units_before=_integers(sum(net.widths[:l]) for l in range(len(net.widths))),
        weights=_integers(layer.weights.start for layer in net.layers),
        biases=_integers(layer.biases.start if layer.bias else -1 for layer in net.layers),
        activations=_integers(number_of(layer.function, net.dtype) for layer in net.layers),
        loss=number_of(net.loss_function, net.dtype),
        loss_is_by_z=net.loss_function.output is not None,
        target_share=1.0 - smoothing,
        target_rest=smoothing / net.widths[-1],
    )


def data_of(
    samples: Samples,
    n: int,
    batch: int,
    shuffle: bool,
    parts: int = 1,
    *,
    unit_slices: bool = False,
    hidden_halves: bool = False,
    few_rows: bool = False,
) -> Data:
    """Samples, or those of many members with `n` rows each, in batches."""
    batches = -(-n // batch) if n else 0
    span, window = max(n, 1), max(n, 1)
    if n and on_disk(samples.X):
        span = max(1, _DISK_BLOCK // (samples.X.shape[-1] * samples.X.itemsize))
        window = _DISK_BLOCKS * span
    return Data(
        *samples,
        order=np.full(n + 1 if shuffle else 0, -1, np.int64),
        blocks=np.zeros(-(-n // span), np.int64),
        span=span,
        window=window,
        n=n,
        shuffled=shuffle,
        batch=batch,
        batches=batches,
        row_parts=parts,
        unit_slices=unit_slices,
        hidden_halves=hidden_halves,
        few_rows=few_rows,
        mean_weight=mean_weight_of(samples, n, batches),
    )


def mean_weight_of(samples: Samples, n: int, batches: int) -> float:
    """What the `n` samples of one network weigh together in the mean of so many batches."""
    total = float(samples.weights.sum(dtype=np.float64)) if len(samples.weights) else float(n)
    return total / batches if n else 0.0


def of_weights(net: Network, decay: PerLayer, size: int, lanes: int = 1) -> Array:
    """(size,) 1 for weights, or what the decay of their layer is where each has its own; 0 for
    biases; as many numbers of each as there are lanes. (0,) without a decay.
    """
    factors = aligned((size if is_asked(decay) else 0,), net.dtype)
    each = decay if isinstance(decay, tuple) else of_layers(1.0, len(net.layers))
    for layer, factor in zip(net.layers, each, strict=True) if len(factors) else ():
        factors.reshape(-1, lanes)[layer.weights] = factor
    return factors


def _common(decay: PerLayer) -> float:
    """What `of_weights` is multiplied by."""
    return float(is_asked(decay)) if isinstance(decay, tuple) else decay


def rule_of(
    net: Network,
    options: Options,
    slots: Array,
    powers: Array,
    size: int,
    slices: int = 1,
    lanes: int = 1,
) -> Rule:
    """The rule of the update of `size` parameters, by so many optimizers side by side."""
    kind = options.update_kind
    schedule = as_schedule(options.learning_rate)
    rate, *times = schedule.numbers
    return Rule(
        rate=rate,
        schedule=list(KINDS).index(schedule.name),
        times=np.array(times),
        plateau=np.zeros(0),
        update_kind=IN_KERNEL.index(kind) if kind in IN_KERNEL else CALLED,
        update_address=0,
        numbers=np.array(options.optimizer.numbers, np.float64),
        slots=slots,
        powers=powers,
        factors=aligned((lanes * len(made_of(kind)),), np.dtype(np.float64)),
        clip_norm=np.inf if options.clip_norm is None else options.clip_norm,
        l2=_common(options.l2),
        is_weight=of_weights(net, options.l2, size, lanes),
        l1=_common(options.l1),
        is_steep=of_weights(net, options.l1, size, lanes),
        size=size,
        update_slices=slices,
    )


def noise_of(net: Network, options: Options) -> Noise:
    """What chance does, and what bounds weights, by a kernel that is still to be found."""
    return Noise(
        address=0,
        epoch=np.zeros(1, np.int64),
        shares=np.array(of_layers(options.dropout, len(net.layers) - 1), np.float64),
        deviation=options.input_noise,
        max_norm=np.inf if options.max_norm is None else options.max_norm,
    )


def growth_of(options: Options) -> float:
    """How much further than the epoch itself the next point of a history is; 0 for even spacing, or
    without a history.
    """
    is_even = options.spacing == "even" or options.record == 0
    return 0.0 if is_even else math.expm1(2 * math.log(MOST) / options.record)


def watched_of(options: Options, *, held_out: bool) -> int:
    """Which cost stop rules watch: that of the validation rows if they are there."""
    if not options.monitors:
        return NOTHING
    return HELD_OUT_COST if held_out else TRAINING_COST


def course_of(state: State, options: Options, times: Array) -> Course:
    """The course of a state to its first epoch by seed 0, without stop rules."""
    return Course(
        epochs=1,
        seed=0,
        cursor=state.cursor,
        sums=state.sums,
        points=state.points,
        costs=state.costs,
        held_out=state.held_out,
        best=state.best,
        plateau=state.plateau,
        times=times,
        growth=growth_of(options),
        monitored=NOTHING,
        target_cost=-math.inf if options.target_cost is None else options.target_cost,
        patience=MOST if options.patience is None else options.patience,
        min_delta=options.min_delta,
    )
