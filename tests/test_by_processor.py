"""What is chosen by the kind of processor: by its name, only with AVX-512, and without 512 bits where those are not known to pay."""

import os
import platform
import subprocess
import sys

import pytest

from fastgd.machine import by_processor
from fastgd.machine.ready_made import X86_64, levels

PROGRAM = """
import fastgd
from fastgd import kernels
from fastgd.machine.object_code import optimized, target_machine
from fastgd.options import Options
from fastgd.samples import Samples

net, options = fastgd.MLP(2, 2, 1), Options()
X, Y = fastgd.data.gate("xor")
plan = kernels.make_plan(net, len(X), options, "unrolled")
entry = kernels.load(plan, options, Samples.alike(X, Y)).entry("train")
print(target_machine().emit_assembly(optimized(entry.source, "train", net.dtype)[1]))
"""


class Context:
    """As Numba's, of the processor that is compiled for."""

    def __init__(self, name, features):
        self._known = "x86_64-unknown-linux-gnu", name, features

    def codegen(self):
        return self

    def magic_tuple(self):
        return self._known


@pytest.mark.parametrize(
    ("name", "table"), [("znver4", 512), ("znver5", 512), ("sapphirerapids", 256), ("skylake-avx512", 256), ("x86-64-v4", 256)]
)
def test_by_name(name, table):
    assert by_processor.chosen(Context(name, "+avx2,+avx512dq,+avx512vl")).table == table
    assert by_processor.by_name(name).table == table


RESULT = """
import fastgd

X, Y = fastgd.data.gate("xor")
for method in "backprop", "finite_difference":
    print(fastgd.train(fastgd.MLP(2, 2, 1), X, Y, 500, 1.0, rng=0, method=method, kernel="unrolled").params.tobytes().hex())
"""


@pytest.mark.skipif(X86_64[0] not in levels(), reason="runs AVX-512")
def test_the_same_bits_by_every_choice():
    """Code that comes with the package was made for any processor with AVX-512, other code for this one: one training may take both."""
    settings = [
        {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": X86_64[0].settings["NUMBA_CPU_FEATURES"]} for name in ("znver3", "x86-64-v4")
    ]
    done = [
        subprocess.run([sys.executable, "-c", RESULT], env=os.environ | setting, capture_output=True, text=True, check=True).stdout
        for setting in settings
    ]
    assert done[0] == done[1] != ""


@pytest.mark.parametrize("features", ["+avx2,+fma", "+avx512f,+avx512vl", ""])
def test_nothing_is_chosen_without_avx512(features):
    assert not any(by_processor.chosen(Context("znver5", features)))


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="names processors of x86")
@pytest.mark.parametrize(("name", "wide"), [("znver3", True), ("cascadelake", False)])
def test_sigmoids_in_wide_registers(name, wide):
    """XOR's loop compiled for a processor that this one need not be: its tables, and its bounds at once."""
    settings = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": X86_64[0].settings["NUMBA_CPU_FEATURES"]}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=os.environ | settings, capture_output=True, text=True, check=True)
    assert ("%zmm" in done.stdout) == wide
    assert done.stdout.count("vrangepd") == 3
