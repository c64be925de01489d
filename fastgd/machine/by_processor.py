"""What is chosen by the kind of processor that is compiled for, where AVX-512 has several
instructions for the same.

`bench/choices.py` measures every choice on the machine at hand. AMD's was measured, on a Zen 5. For
Intel this is a model, not a measurement: LLVM's, with the latencies that others have measured of
these instructions. What was measured on a Xeon is that NAND and XOR took 5 and 11 % longer with
tables of 512 bits than without AVX-512, which no such model says: none knows that vectors so long
slow the clock, and close a port to shorter ones. So elsewhere than on AMD there are none.

All choices come to the same bits, so that machine code made for another processor does, too.
"""

from typing import Any, NamedTuple

from fastgd.machine.vector import has_avx512


class Choices(NamedTuple):
    """How a sigmoid of float64 looks powers of two up, how it is bounded, and by what instruction
    the halves of a vector change places.
    """

    table: int  # of 16 entries, in vectors of so many bits: 512 or 256; 0 without AVX-512
    bounds_at_once: bool  # whether one instruction has both bounds, where they are alike
    swaps_by_vshuff: bool  # vshuff64x2, or what LLVM takes


# by how LLVM's name of the processor begins, the first that fits
CHOICES = {
    "znver": Choices(table=512, bounds_at_once=True, swaps_by_vshuff=True),
    "": Choices(table=256, bounds_at_once=True, swaps_by_vshuff=True),
}
_NONE = Choices(table=0, bounds_at_once=False, swaps_by_vshuff=False)


def by_name(processor: str) -> Choices:
    """What is chosen for a processor with AVX-512, by LLVM's name of it."""
    return next(choices for kind, choices in CHOICES.items() if processor.startswith(kind))


def chosen(context: Any) -> Choices:
    """What is chosen for the machine that is compiled for; nothing without AVX-512."""
    return by_name(context.codegen().magic_tuple()[1]) if has_avx512(context) else _NONE
