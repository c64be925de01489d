"""What a kernel is given, as structs: a network in numbers, rows, scratch memory, the rule of the
update, a course.
"""

from typing import NamedTuple

from fastgd.machine.struct import Doubles, Integers, Pointer, Reals


class NetworkStruct(NamedTuple):
    """An MLP in numbers; layer l, counted from 0, has widths[l] inputs and widths[l + 1] units."""

    layers: int
    n_params: int
    widths: Integers  # (layers + 1,)
    units_before: Integers  # (layers + 1,) units of all earlier layers, the inputs counting as one
    weights: Integers  # (layers,) where W starts in the flat array
    biases: Integers  # (layers,) where b starts, -1 without biases
    # (layers,) their places in formulas.texts.HELD_ACTIVATIONS, or the addresses of their code
    activations: Integers
    loss: int  # its place in HELD_LOSSES, or the address of its code
    loss_is_by_z: int  # whether its derivative is
    target_share: float  # of a target that is left where others are smoothed into it
    target_rest: float  # what is added to that


class Data(NamedTuple):
    """All rows, and the order in which they are taken."""

    X: Reals  # (n * inputs,)
    Y: Reals  # (n * outputs,)
    weights: Reals  # (n,) of the samples, or (0,) where all weigh the same
    # (n + 1,) the row at each place, and the epoch of which this is the order, where `shuffled`
    order: Integers
    blocks: Integers  # the order of blocks of rows, from which that of rows is made
    span: int  # rows of such a block
    window: int  # rows that are mixed with each other
    n: int
    shuffled: int
    batch: int  # rows of a batch; the last one of an epoch may be shorter
    batches: int  # of an epoch
    row_parts: int  # of the rows of a batch, which threads share out
    unit_slices: int  # whether they share out the units of layers instead
    hidden_halves: int  # or whether two threads have half of the hidden units each
    few_rows: int  # whether batches have fewer rows than vectors have lanes
    mean_weight: float  # of a batch


class Work(NamedTuple):
    """Scratch memory, sized before the loop. Layer l's part of the first three starts at
    units_before[l + 1] * stride.
    """

    a: Reals  # activations, the inputs first, which hidden halves leave out
    # (stride, inputs) inputs as they lie in X, then (stride, outputs) targets; where they fill a
    # vector, or for hidden halves
    rows: Reals
    z: Reals  # pre-activations
    delta: Reals  # dC/da, then dC/dz
    y: Reals  # (outputs, stride) targets
    weight: Reals  # (stride,) share of each sample in the cost; 0 for padding
    panel: Reals  # scratch of products
    # panels that several slices of a layer's units are multiplied with; or (0,)
    packed: Reals
    # (parts * size,) one of each part of the batch; their sum comes to be in the first
    gradient: Reals
    # of hidden activations, unit by unit: what each is multiplied by, and what it was before; or
    # (0,)
    masks: Reals
    whole: Reals
    keys: Integers  # (stride,) of the samples, for what chance does to them
    uniform: Reals  # (2, stride) scratch for that
    now: Integers  # (6,) what the kernel for few units is told
    block: int  # most rows of a block, a multiple of the lanes

    def without_chance(self) -> "Work":
        """The same memory, for rows that chance leaves alone."""
        nothing = self.masks[:0]
        return self._replace(masks=nothing, whole=nothing, keys=self.keys[:0], uniform=nothing)


class FewRows(NamedTuple):
    """Memory for batches of few rows, or of no numbers where there are more; see `few_memory`."""

    widths: Integers  # (layers + 1,) those of the network, up to whole vectors
    weights: Integers  # (layers,) where W starts in params; widths[l + 1] places before, b does
    # (layers + 1,) where each layer's part of z, a and delta starts, the inputs coming first:
    # (batch, widths[l]), one row a row of data
    starts: Integers
    now: Integers  # (3,) places in a of the rows of a batch and of the next one, and how many wait
    parts: Integers  # (layers,) of the units of each, which threads share out
    params: Reals  # (size,)
    gradient: Reals  # (size,), or of a chunk, which is updated as soon as it is there
    a: Reals
    z: Reals
    delta: Reals  # dC/da, then dC/dz
    # (parts, batch, width) what each part of a layer contributes to dC/da of the one before
    back: Reals
    y: Reals  # (batch, widths[layers]) targets
    weight: Reals  # (batch,) share of each row in the cost


class Rule(NamedTuple):
    """How a gradient becomes an update."""

    rate: float  # the learning rate, or the first value of its schedule
    schedule: int  # its place among schedules.KINDS
    times: Doubles  # (3 or more,) warm-up and the schedule's own numbers
    plateau: Doubles  # (5,) as in State, the rate first; or (0,)
    update_kind: int  # its place in IN_KERNEL, or CALLED
    update_address: int  # of the kernel that is called then
    numbers: Doubles  # the optimizer's own
    slots: Reals  # (slots * size,) what it keeps for every parameter
    powers: Doubles  # (powers,) what it keeps for all of them, such as beta1^t and beta2^t
    factors: Doubles  # what is made of these once an update
    clip_norm: float  # inf for no clipping
    l2: float
    is_weight: Reals  # (size,) 1 for weights, or l2 of their layer; 0 for biases; (0,) without l2
    l1: float
    is_steep: Reals  # the same for l1
    size: int  # of params: n_params up to whole vectors
    update_slices: int  # of the parameters, which threads share out


class Noise(NamedTuple):
    """What chance does in training, and what bounds weights; see `perturbation`."""

    address: int  # of the kernel that is called for it, 0 where there is none
    epoch: Integers  # (1,) that is trained
    shares: Doubles  # (layers - 1,) of hidden activations that are dropped
    deviation: float  # of inputs
    max_norm: float  # inf for any


class Apart(NamedTuple):
    """Where kernels are that the matrix kernel calls for what few plans need, 0 where it is not
    needed.
    """

    arrangement: int  # few rows, hidden halves or slices of units
    few_units: int  # passes over rows whose first layer is one of few units
    differences: int  # difference quotients


class WorkQueue(NamedTuple):
    """What the threads of a run share; see `work_queue`."""

    counters: Integers  # (48,)
    task: Integers  # (12,) what there is to do, see `matrix.tasks`
    numbers: Doubles  # (4,)
    costs: Doubles  # (parts,) of the parts of a batch
    exchange: Reals  # (4 * outputs * block,) where halves put down their parts of z
    # (hidden * inputs,) where halves have the first layer's weights, input by input
    transposed: Reals
    yield_address: int  # address of a function that lets another thread run


class Course(NamedTuple):
    """How far to go, what to write down on the way, and when to end it early."""

    epochs: int
    seed: int
    cursor: Integers  # from here on as in State
    sums: Doubles
    points: Integers
    costs: Doubles
    held_out: Doubles
    best: Reals
    plateau: Doubles
    times: Doubles  # as in Rule
    # of the distance between points of the history, as a share of the epoch; 0 for even spacing
    growth: float
    monitored: int
    target_cost: float
    patience: int
    min_delta: float


class Problem(NamedTuple):
    """All that the updates of a kernel need."""

    net: NetworkStruct
    data: Data
    params: Reals  # (size,)
    work: Work
    few: FewRows
    rule: Rule
    few_rule: Rule  # the same for parameters as they lie in `few`
    course: Course
    queue: WorkQueue
    noise: Noise
    apart: Apart
    command: int  # what is to be done: TRAIN, PASS, CHECK_RULES or HELP
    method: int  # its place in names.METHODS, or NO_UPDATE
    eps: float  # step of the difference methods
    # 1 of the problem of the validation rows, 2 of that of the rows as they are; 0 of any other
    is_held_out: int
    held_out: Pointer  # the same problem for the validation rows, without updates
    untouched: Pointer  # the same problem without updates and noise, where there is some
    # the same problem with scratch memory for the rows of the next batch, where there are halves
    next: Pointer


class Stretch(NamedTuple):
    """Updates of several members, with what is looked at and changed before each."""

    train: int  # the address of the loop that makes an update
    problems: Integers  # (members,) addresses of those that are trained
    places: Integers  # (members,) their places among all
    eps: Doubles  # (all,) of Adam, after the correction of its moments; or (0,)
    squares: Doubles  # (all,) what sums of squared weights are added to; or (0,)


class FunctionCall(NamedTuple):
    """What the code of an activation or a loss is given: a block's arrays, and where it works."""

    z: Reals
    a: Reals
    delta: Reals
    y: Reals  # the targets, from the first output's on
    weight: Reals
    panel: Reals  # the first is what the losses come to
    start: int  # of z, a and delta
    stop: int
    stride: int  # between the outputs of a sample
    factor: float  # times the derivative of an activation


class Evaluation(NamedTuple):
    """What is to be known about parameters: one of outputs and costs, the other one (0,)."""

    problem: Problem
    outputs: Reals  # (n * outputs,)
    costs: Doubles  # (layers,) the notes' layer costs
    # as params, but W^T in the place of W, and more behind; or (0,): only needed for one row
    by_input: Reals
    finite: Integers  # (1,) told where outputs are wanted: whether all of X is


class Slopes(NamedTuple):
    """What the outputs of rows are to be differentiated by, and where that goes."""

    net: NetworkStruct
    params: Reals
    # its rows hold the activations of all layers but the last, sample by sample; its weights are
    # the scale of the block's rows
    work: Work
    derivatives: Reals  # f'(z) of every unit, where z lies
    X: Reals  # (n * inputs,)
    scale: Reals  # (n,) that the outputs of each row are multiplied by, or (0,)
    n: int
    by_inputs: int  # whether by inputs instead of parameters
    result: Reals  # (n * outputs * n_params,) or (n * outputs * inputs,)


class Curvature(NamedTuple):
    """Rows of which the Hessian of the cost is to be multiplied by a vector."""

    net: NetworkStruct
    bare: NetworkStruct  # without biases
    activations: Integers  # (layers,) their places among the functions that are compiled
    loss: int  # its place, but for cross_entropy
    loss_is_by_z: int  # whether its derivative is
    data: Data
    params: Reals
    vector: Reals  # (n_params,)
    work: Work
    by_a: Work  # z and a are tangents
    by_delta: Work  # delta is
    first: int  # of the rows
    last: int
    result: Reals  # (n_params,)
