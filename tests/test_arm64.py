"""Object code for arm64, made and linked on any machine: its instructions are decoded, not run."""

import ctypes
import platform
import re

import llvmlite.binding as llvm
import pytest
from llvmlite import ir

from fastgd.machine import linking
from fastgd.machine.object_file import undefined_names

TRIPLE = "aarch64-unknown-linux-gnu"
DOUBLE = ir.DoubleType()
TABLE = [0.5, -2.0, 3.25, 1e300]


def module():
    """`kernel(x, i)` is sin(x) + pow(x, x) + other(table[i]), where `other` is a function of the module."""
    made = ir.Module()
    made.triple = TRIPLE
    one, two = (ir.FunctionType(DOUBLE, [DOUBLE] * count) for count in (1, 2))
    sine, power = ir.Function(made, one, "sin"), ir.Function(made, two, "pow")
    table = ir.GlobalVariable(made, ir.ArrayType(DOUBLE, len(TABLE)), "table")
    table.initializer, table.linkage, table.global_constant = ir.Constant(table.value_type, TABLE), "internal", True
    other = ir.Function(made, one, "other")
    other.attributes.add("noinline")
    builder = ir.IRBuilder(other.append_basic_block())
    builder.ret(builder.fadd(other.args[0], DOUBLE(1.0)))
    integer = ir.IntType(64)
    kernel = ir.Function(made, ir.FunctionType(DOUBLE, [DOUBLE, integer]), "kernel")
    builder = ir.IRBuilder(kernel.append_basic_block())
    x, i = kernel.args
    entry = builder.load(builder.gep(table, [integer(0), i]))
    total = builder.fadd(builder.call(sine, [x]), builder.call(power, [x, x]))
    builder.ret(builder.fadd(total, builder.call(other, [entry])))
    return llvm.parse_assembly(str(made))


@pytest.fixture(scope="module")
def target():
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        return llvm.Target.from_triple(TRIPLE)
    except RuntimeError as error:
        pytest.skip(str(error))


# how addresses are written, and whose memory the code lies in: on a machine of this kind llvmlite keeps what is linked together
@pytest.fixture(params=[("jitdefault", "x86_64"), ("jitdefault", "aarch64"), ("small", "aarch64")], ids=" on ".join)
def functions(request, target, monkeypatch):
    """Addresses of `kernel` and `other`, linked as such a machine would."""
    model, kind = request.param
    code = target.create_target_machine(jit=True, codemodel=model, reloc="default").emit_object(module())
    calls = undefined_names(code)
    assert calls == ["pow", "sin"]
    monkeypatch.setattr(llvm.Target, "from_default_triple", lambda: target)
    monkeypatch.setattr(platform, "machine", lambda: kind)
    entry = linking.linked("kernel", calls, code)
    return [ctypes.cast(entry, ctypes.c_void_p).value, linking._linkers[-1].get_function_address("other")]


def instructions(address):
    """Their addresses and words, up to a return or a jump to where a register points."""
    word = 0
    while word & 0xFFFFFC1F not in (0xD61F0000, 0xD65F0000):  # br, ret
        word = int.from_bytes(ctypes.string_at(address, 4), "little")
        yield address, word
        address += 4


def signed(number, bits):
    return number - (number >> bits - 1 << bits)


def calls_of(address):
    """Where a function's calls go to."""
    return [place + 4 * signed(word & 0x3FFFFFF, 26) for place, word in instructions(address) if word >> 26 == 0b100101]


def numbers_of(address):
    """The number of 64 bits that a function, or a way further, has last put into each register."""
    found = {}
    for place, word in instructions(address):
        register, other = word & 31, word >> 5 & 31
        part, shift = word >> 5 & 0xFFFF, 16 * (word >> 21 & 3)
        if word >> 23 == 0b110100101:  # movz
            found[register] = part << shift
        elif word >> 23 == 0b111100101:  # movk
            found[register] = found[register] & ~(0xFFFF << shift) | part << shift
        elif word & 0x9F000000 == 0x90000000:  # adrp
            pages = signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21)
            found[register] = (place & ~0xFFF) + (pages << 12)
        elif word >> 22 == 0b1001000100 and other in found:  # add
            found[register] = found[other] + (word >> 10 & 0xFFF)
    return found


def test_calls_reach_what_they_name(functions):
    """A function of the C library by a way further, since an instruction reaches 128 MB; one that lies beside without."""
    kernel, other = functions
    sine, power, beside = calls_of(kernel)
    assert beside == other
    for way, name in [(sine, "sin"), (power, "pow")]:
        *_, (_, last) = instructions(way)
        assert last >> 5 & 31 in numbers_of(way)
        assert numbers_of(way)[last >> 5 & 31] == linking.c_function(name)


def test_constants_are_read_where_they_are(functions):
    (table,) = numbers_of(functions[0]).values()
    assert list((ctypes.c_double * len(TABLE)).from_address(table)) == TABLE


# kernels that are shipped, made for arm64 on a machine of another kind: prints the assembly, and the names of what they call
MAKING = f"""
import llvmlite.binding as llvm
llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()
llvm.get_process_triple = lambda: "{TRIPLE}"
from fastgd.kernels.shipped import shipped
from fastgd.machine import object_code
target = llvm.Target.from_triple("{TRIPLE}")
machine = target.create_target_machine(cpu="generic", jit=True, codemodel="jitdefault", reloc="default")
object_code.target_machine = lambda: machine
from fastgd.machine.object_file import undefined_names
names = set()
for entry in shipped():
    if entry.dtype == "float64" and ("matrix_train" in entry.name or "MLP(2, 1," in entry.source):
        module = object_code.optimized(entry.source, entry.function, entry.dtype)[1]
        names.update(undefined_names(machine.emit_object(module)))
        print(machine.emit_assembly(module))
print("calls:", *names)
"""


def test_kernels_are_made_of_instructions_that_there_are(target, python):
    """LLVM ends the process where it is asked for one of another kind of processor. Sums of the largest tile stay in registers."""
    assembly, _, calls = python(MAKING, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="").rpartition("calls:")
    assert calls.split()
    for name in calls.split():
        assert linking.c_function(name)
    assert "\tyield\n" in assembly  # of a thread that waits
    blocks = re.split(r"^(?:\.\w+:|\tb\.).*$", assembly, flags=re.MULTILINE)  # at labels and jumps
    tiles = [block for block in blocks if len(re.findall(r"\tfmla\t", block)) == 24]
    assert tiles
    assert not any("[sp" in tile for tile in tiles)
