"""All functions that generated code may call, under the names that it calls them by."""

# ruff: noqa: F401, F403
from fastgd.formulas.updates import sgd
from fastgd.formulas.vocabulary import *
from fastgd.kernels.epoch import observe_epoch
from fastgd.kernels.generated.member_epoch import (
    gather_members,
    order_rows,
    prepare_members,
)
from fastgd.kernels.rows import batch_weight, gather, put_in_order
from fastgd.kernels.update import functions_of, prepare
from fastgd.machine.elementary import exp, log, quotients, residuals, sigmoid_parts
from fastgd.machine.lane_sums import (
    each_lane,
    halves,
    in_lanes,
    joined,
    lane_sums,
    lane_total,
)
from fastgd.machine.span import broadcast, lanes_of, load, load_doubles, narrowed, store
from fastgd.machine.vector import (
    all_between,
    first_lane,
    plus,
    stay_scalar,
    where_negative,
    where_positive,
)
