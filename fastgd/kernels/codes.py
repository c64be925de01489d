"""Numbers by which Python and compiled code understand each other: commands, what is watched,
places in arrays, sizes of scratch memory.
"""

from fastgd.state import VECTOR_BYTES

NO_UPDATE = -1  # in the place of a method: only costs are wanted
# commands: updates; the cost of all rows, by a pass without updates; the stop rules, for the cost
# in sums[EPOCH_COST_SUM]; parts of another thread's work
TRAIN, PASS, CHECK_RULES, HELP = range(4)
NOTHING, TRAINING_COST, HELD_OUT_COST = range(3)  # what is watched
CHUNK = 4096  # numbers of a gradient that is not kept: they stay in the first cache
ROWS_AT, NEXT_AT, AHEAD = range(3)  # in FewRows.now
ROW_GROUP = 8  # rows of weights that are taken together, on any machine
FEW_UNITS = 4  # most of a first layer that multiplies rows of X as they lie
# of scratch for a product, for a panel: half of the least first cache, on all machines the same,
# since sums are cut by it. More is for a block, where rows may lie so far apart, or a multiple of
# it, which is at the same places of a cache
PANEL_BYTES, ALIASING_BYTES = 2**14, 2**12
DEPTH = PANEL_BYTES // (4 * VECTOR_BYTES)  # rows of a panel
BETWEEN = 2  # vectors between the columns of a block, so that these lie apart in a cache
# places in a queue's counters, each on a cache line of its own
TAKEN, FINISHED = 0, 8
PUT_DOWN = 16, 32  # of either half, which are not on neighbouring lines either
MOST_ROWS = 2**16  # of a block, which are told in one number with its first place
BOUND = -1  # in the place of such a number: weights are to be shortened
LEAD = -1  # in the place of a part's number, for a kernel that arranges work: it is to lead
# what the kernel for few units is to do, and the places in Work.now of what it has to know
FIRST_FORWARD, FIRST_GRADIENT = range(2)
NOW_START, NOW_ROWS, NOW_FRESH, NOW_PART, NOW_ADDS, NOW_IS_DIRECT = range(6)
TOTAL, SCALE, RATE, FACTOR = range(4)  # places in a queue's numbers, RATE of a learning rate
# updates that the matrix kernel holds, plain being sgd in registers; others are kernels it calls
IN_KERNEL = ("plain", "sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw", "rprop")
CALLED = len(IN_KERNEL)
