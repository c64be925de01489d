"""What kernels take, beside what `kernel="auto"` reckons with: `python bench/estimates.py`.

Processor seconds to compile, the start of Numba apart, and for an epoch, one thread, the least of some rounds; behind each, the estimate of
fastgd/kernels/estimates.py over it. What comes with the package costs nothing to compile.
"""

import time
from argparse import ArgumentParser
from itertools import product

import numpy as np
from machine import facts
from tables import duration, short_fact_lines

import fastgd
from fastgd.kernels import make_plan, source
from fastgd.kernels.estimates import compile_seconds, epoch_seconds, lines_of
from fastgd.kernels.generated import lanes
from fastgd.options import Options

NETWORKS = [(2, 1), (2, 2, 1), (2, 8, 1), (4, 10, 3), (2, 8, 8, 1), (10, 10, 2)]
MEMBERS = 64
FORMS = {  # of a training
    "4 rows": (4, {}),
    "150 rows": (150, {}),
    "150 rows, batches of 8": (150, {"batch_size": 8}),
    "150 rows, batches of 3": (150, {"batch_size": 3}),
    "150 rows, one by one": (150, {"batch_size": 1}),
    "4 rows, differences": (4, {"method": "finite_difference"}),
}
KERNELS = ("matrix", "unrolled", "lanes")


def plan_of(net, n, options, kernel):
    return make_plan(net, n, options, kernel, members=MEMBERS if kernel == "lanes" else None)


def compiled(plan) -> float:
    """Processor seconds from a text to machine code."""
    from fastgd.machine import object_code

    text = (lanes.source if plan.kernel == "lanes" else source)(plan)
    before = time.process_time()
    object_code.machine_code(text, "train", plan.net.dtype)
    return time.process_time() - before


def trained(plan, given, rounds: int = 5) -> float:
    """Processor seconds of an epoch, of one member."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(plan.n, plan.net.widths[0])), rng.uniform(size=(plan.n, plan.net.widths[-1]))
    members = MEMBERS if plan.kernel == "lanes" else 1
    epochs = int(0.02 / epoch_seconds(plan, members) / members) + 1
    common = {"rng": 0, "kernel": plan.kernel, "threads": 1, **given}
    times = []
    for _ in range(rounds):
        before = time.process_time()
        if plan.kernel == "lanes":
            fastgd.train_many(plan.net, X, Y, epochs, 0.01, members=members, **common)
        else:
            fastgd.train(plan.net, X, Y, epochs, 0.01, record=2, **common)
        times.append(time.process_time() - before)
    return min(times) / epochs / members


def main() -> None:
    print(*short_fact_lines(facts()), sep="\n")
    print(f"\n{'network':10}{'form':24}{'lines':>6}  " + "".join(f"{kernel + ': compiled':>26}{'an epoch':>18}" for kernel in KERNELS))
    for widths, (form, (n, given)) in product(NETWORKS, FORMS.items()):
        net, options = fastgd.MLP(*widths), Options(**given)
        lines = lines_of(net, options.method)
        if lines > 300:
            continue
        text = f"{'-'.join(map(str, widths)):10}{form:24}{lines:6}  "
        for kernel in KERNELS:
            plan = plan_of(net, n, options, kernel)
            seconds = 0.0 if kernel == "matrix" else compiled(plan)
            ratio = f" ({compile_seconds(plan) / seconds:.2f})" if seconds else ""
            epoch = trained(plan, given)
            of_epoch = f"{duration(1e9 * epoch)} ({epoch_seconds(plan, MEMBERS) / epoch:.2f})"
            text += f"{f'{seconds:.2f} s{ratio}' if seconds else '':>26}{of_epoch:>18}"
        print(text, flush=True)


if __name__ == "__main__":
    ArgumentParser(description=__doc__).parse_args()
    main()
