"""`fastgd show`, `warmup` and `cache`: the code that is compiled for a network, and where it is
kept.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from fastgd.cli.options import (
    add_command,
    add_flag,
    add_layers_flag,
    add_network_flags,
    network,
    whole,
)
from fastgd.cli.training_flags import add_option_flag, add_update_flags, option_arguments
from fastgd.words import count, duration


def add_show(commands: Any) -> None:
    """`fastgd show` and its flags."""
    parser = add_command(
        commands, "show", "print the loop that is written out for one small network", _SHOW_EXAMPLES
    )
    _add_plan_flags(parser)
    parser.set_defaults(command=show)


def add_warmup(commands: Any) -> None:
    """`fastgd warmup` and its flags."""
    parser = add_command(
        commands,
        "warmup",
        "compile the kernels of a network now, so that training need not wait",
        _WARMUP_EXAMPLES,
    )
    _add_plan_flags(parser)
    add_update_flags(
        parser.add_argument_group(
            "optimizer",
            "Other kernels are compiled for other optimizers, schedules, --l2, --clip-norm.",
        )
    )
    parser.set_defaults(command=warmup)


def add_cache(commands: Any) -> None:
    """`fastgd cache` and its flags."""
    parser = add_command(
        commands, "cache", "show what compiled code is kept on disk", _CACHE_EXAMPLES
    )
    parser.add_argument(
        "--clear", action="store_true", help="delete it all; it is compiled again when it is needed"
    )
    parser.set_defaults(command=cache)


_SHOW_EXAMPLES = """\
examples:
  fastgd show --layers 2-2-1
  fastgd show --layers 2-1 --method finite_difference
  fastgd show --layers 2-16-1 --rows 1024 --batch-size 32
"""
_WARMUP_EXAMPLES = """\
examples:
  fastgd warmup --layers 2-2-1
  fastgd warmup --layers 2-8-8-1 --rows 1000 --batch-size 50 --optimizer adam
"""
_CACHE_EXAMPLES = """\
examples:
  fastgd cache
  fastgd cache --clear

FASTGD_CACHE_DIR names another folder, by its absolute path. It is used only if it is yours and
nobody else may write to it. Kernels that came ready-made with the package are used for what is not
there; with FASTGD_READY_MADE=0 they are not.
"""


def _add_plan_flags(parser: argparse.ArgumentParser) -> None:
    add_layers_flag(parser, "2-2-1")
    add_flag(parser, "--rows", whole, "N", "rows of the data", 4)
    for name in ("batch_size", "shuffle", "method"):
        add_option_flag(parser, name)
    add_network_flags(parser, activation="sigmoid", output="as --activation", loss="squared_error")


def show(options: argparse.Namespace) -> None:
    """Print the loop that would be compiled."""
    net = network(options, options.layers, "sigmoid", None, "squared_error")
    print(net.source(options.rows, **option_arguments(options)), end="")


def warmup(options: argparse.Namespace) -> None:
    """Compile each kernel that serves the network, and print how long that took."""
    import numpy as np

    from fastgd import kernels
    from fastgd.options import Options
    from fastgd.training.train import train

    net = network(options, options.layers, "sigmoid", None, "squared_error")
    arguments = option_arguments(options)
    X, Y = np.zeros((options.rows, net.widths[0])), np.zeros((options.rows, net.widths[-1]))
    for kernel in kernels.serving(net, Options.of(arguments)):
        before = time.perf_counter()
        train(net, X, Y, 0, params=net.init(0, "zeros"), rng=0, kernel=kernel, **arguments)
        print(f"{kernel:<10}{duration(time.perf_counter() - before)}")


def cache(options: argparse.Namespace) -> None:
    """Print what the cache folder holds, or empty it; and what came with the package."""
    from fastgd.machine import cache_folder as store
    from fastgd.machine import ready_made

    place = store.known_folder() or "no cache folder"
    if options.clear:
        _print(f"deleted {count(store.clear(), 'file')} from {place}")
        return
    entries = store.entries()
    _print(f"{place}: {_sizes(entries)}")
    if reason := store.trouble():
        _print(f"  nothing can be kept there: {reason}")
    _print_kernels(entries)
    for level, kernels in ready_made.entries().items():
        _print(f"ready-made for {level}: {_sizes(kernels)}")
        if reason := ready_made.why_not():
            _print(f"  not used: {reason}")
        _print_kernels(kernels)


def _sizes(kernels: list[tuple[str, int, str]]) -> str:
    megabytes = sum(size for _, size, _ in kernels) / 1e6
    return f"{count(len(kernels), 'kernel')}, {megabytes:.1f} MB"


def _print_kernels(kernels: list[tuple[str, int, str]]) -> None:
    for name, size, title in kernels:
        _print(f"  {name:<32}{size / 1e3:>8.0f} kB  {title}")


def _print(line: str) -> None:
    """A line with names of files, which need not be text of the terminal's encoding."""
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding))
