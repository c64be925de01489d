"""What an epoch of one neuron is, down to the instructions: the loop that trains NAND, 002 (20)-(22), as the processor gets it.

Prints the instructions of an epoch whose cost nobody looks at, by their kinds, and the longest chain of those that wait
for each other from one epoch to the next. On x86-64, for the processor at hand.
"""

import re
from argparse import ArgumentParser
from collections import Counter, defaultdict

import fastgd
from fastgd import kernels
from fastgd.machine.object_code import optimized, target_machine
from fastgd.options import Options
from fastgd.samples import Samples

KINDS = {
    "multiply and add at once": r"vfn?m",
    "multiply": r"vmul",
    "add or subtract": r"v(add|sub)",
    "divide": r"vdiv",
    "round, clamp": r"v(reduce|round|rndscale|max|min)",
    "shuffle or look up": r"v(shuf|perm|unpck|blend|broadcast|extract|insert|gather|pshuf)",
    "copy, clear": r"v?mov|vxor|vmovap",
    "whole numbers of a vector": r"vp",
    "count, compare, jump": r"",
}


def assembly(net, X, Y):
    """The machine code of the kernel that trains a network on these rows, as text."""
    options = Options()
    plan = kernels.make_plan(net, len(X), options, "unrolled")
    entry = kernels.load(plan, options, Samples.alike(X, Y)).entry("train")
    return target_machine().emit_assembly(optimized(entry.source, "train", net.dtype)[1])


def epoch(text):
    """The instructions of one turn of the loop that divides, on the way without a look at the cost."""
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not re.match(r"\.(p2align|loc|cfi)", line)]
    labels = {line[:-1]: place for place, line in enumerate(lines) if line.endswith(":")}
    for head in sorted(labels.values()):
        way, place, flag = [], head + 1, ""
        while place < len(lines) and len(way) < 1000:
            words = lines[place].replace(",", "").split()
            place += 1
            if words[0].endswith(":"):
                continue
            way.append(lines[place - 1])
            if words[0].startswith(("test", "cmp")):
                flag = words[0]
            elif words[0] == "jmp" or (words[0] == "je" and flag.startswith("test")):  # nobody looks
                place = labels.get(words[1], len(lines))
            elif words[0].startswith("j") and labels.get(words[1]) == head:
                if any(re.match(r"vdivpd .*%[yz]mm", each.replace("\t", " ")) for each in way):
                    return way
                break
            elif words[0] == "ret":
                break
    raise SystemExit("no loop of this kind was found: the processor has other instructions than those of x86-64 with AVX")


def chain(way, turns=20):
    """How much longer the longest chain of dependent instructions becomes by one turn of the loop."""
    longest, before = defaultdict(int), 0
    for _ in range(turns):
        before = max(longest.values(), default=0)
        for line in way:
            name, *operands = re.split(r"[\s,]+", line)
            registers = [f"v{number}" for each in operands for number in re.findall(r"%[xyz]mm(\d+)", each)]
            if not name.startswith("v") or not registers or "(" in operands[-1]:
                continue
            target = registers[-1]
            if name.startswith("vxorp") and len(set(registers)) == 1:
                longest[target] = 0  # cleared
            elif name.startswith("vmov"):
                longest[target] = longest[registers[0]]  # renamed, at no cost
            else:
                reads = registers if re.match(r"vfn?m|vperm[it]2", name) else registers[:-1]
                longest[target] = 1 + max((longest[each] for each in reads), default=0)
    return max(longest.values()) - before


def main():
    X, Y = fastgd.data.gate("nand")
    way = epoch(assembly(fastgd.MLP(2, 1), X, Y))
    kinds = Counter(next(kind for kind, pattern in KINDS.items() if re.match(pattern, line)) for line in way)
    for kind in KINDS:
        print(f"{kinds[kind]:>4}  {kind}")
    print(f"{len(way):>4}  instructions an epoch, for all four rows and three parameters")
    print(f"{sum('(' in line for line in way):>4}  of them touch memory")
    print(f"{chain(way):>4}  of them wait for each other, from one epoch's parameters to the next one's")
    run = fastgd.train(fastgd.MLP(2, 1), X, Y, 8_000_000, 0.1, rng=0)
    print(f"{1e9 * run.seconds / run.epochs:>6.1f}  ns an epoch")


if __name__ == "__main__":
    ArgumentParser(description=__doc__).parse_args()
    main()
