"""What the lanes kernel is given, as structs: the members of an ensemble, which all threads share,
and the lanes of one thread.
"""

from typing import NamedTuple

from fastgd.kernels.structs import Data, NetworkStruct, Rule
from fastgd.machine.struct import Doubles, Integers, Reals

NOBODY = -1  # in the place of a member
# commands: train the members of a lane group; write them back and free the lanes
TRAIN, FLUSH = range(2)


class Members(NamedTuple):
    """All members: where each stands, and how far it is to go."""

    params: Reals  # (members, n_params)
    slots: Reals  # (members, slots, n_params)
    powers: Doubles  # (members, powers) what the optimizer keeps for all parameters
    cursor: Integers  # (members, 10) from here on as in State
    sums: Doubles  # (members, 4)
    plateau: Doubles  # (members, 5), or (members, 0)
    points: Integers  # (members, record - 1), or (members, 0)
    costs: Doubles  # (members, record - 1)
    held_out: Doubles  # (members, 0)
    rates: Doubles  # (members,) learning rates, or first values of their schedule
    schedules: Integers  # (members,) places among schedules.KINDS, or -1
    times: Doubles  # (members, 3 or more) warm-up and the schedule's own numbers
    numbers: Doubles  # (members, numbers) of the optimizer
    l2: Doubles  # (members,)
    l1: Doubles  # (members,)
    clip_norm: Doubles  # (members,) inf for no clipping
    seeds: Integers  # (members,)
    last: Integers  # (members,) epochs to train to
    targets: Reals  # (members,) target_cost, rounded down; -inf for none
    patience: Integers  # (members,)
    min_delta: Reals  # (members,)
    cost: Doubles  # (members,) of all rows, when a member has ended; NaN until then
    waiting: Integers  # who is to be trained, in this order
    taken: Integers  # (1,) how many of them have been
    X_stride: int  # from one member's X to the next one's; 0 where all share it
    Y_stride: int
    weights_stride: int


class LaneGroup(NamedTuple):
    """One vector of members that train side by side, in the lanes of one thread. Row r of an array
    of (rows, lanes) starts at r lanes.
    """

    net: NetworkStruct
    data: Data  # its X, Y and weights hold those of all members, its order is scratch
    members: Members
    command: int  # TRAIN or FLUSH
    # its slots are (slots, n_params, lanes), its powers (powers, lanes), what is made
    # of them (made, lanes), its decays (n_params, lanes)
    rule: Rule
    member_of_lane: Integers  # (lanes,) the member on each lane
    # (lanes,) most epochs of the next stretch, while a divergence is being searched for; 0 if none
    # is
    max_epochs: Integers
    params: Reals  # (n_params, lanes)
    gradient: Reals  # (n_params, lanes)
    before: Reals  # params, slots and patience_cost at the start of a stretch
    powers_before: Doubles
    rates: Doubles  # (lanes,)
    numbers: Doubles  # (numbers, lanes)
    l2: Doubles  # (lanes,)
    l1: Doubles  # (lanes,)
    clip_norm: Doubles  # (lanes,)
    targets: Reals  # (lanes,)
    min_delta: Reals  # (lanes,)
    patience_cost: Reals  # (lanes,)
    # (lanes,) the epoch of the stretch in which the cost was last better; -1 if in none
    patience_epoch: Reals
    costs: Reals  # (lanes,) of the latest epoch
    # (lanes,) in full batch, the cost at the start of a stretch; NaN if it is not known
    known: Doubles
    # of the distance between points of a history, as a share of the epoch; 0 for even spacing
    growth: float
    x: Reals  # (rows, inputs, lanes) where members have rows or an order of their own
    y: Reals  # (rows, outputs, lanes)
    weight: Reals  # (rows, lanes), or (rows,) where all share them
    order: Integers  # (lanes, n) each member's order of rows
    monitored: int  # whether the cost of every epoch is looked at
    eps: float  # step of the difference methods
