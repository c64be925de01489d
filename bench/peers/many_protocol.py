"""What many.py asks its peers in JAX, as JSON on stdin, and what they answer."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec


def read_work() -> dict[str, Any]:
    """The question."""
    return dict(json.load(sys.stdin))


def share(run: Callable[..., Any]) -> Callable[..., Any]:
    """`run(members, epochs)`, whose arrays begin with an axis of members, compiled, the members shared out to all devices."""
    of_members, of_all = PartitionSpec("members"), PartitionSpec()
    devices = Mesh(np.array(jax.devices()), ("members",))
    return jax.jit(jax.shard_map(run, mesh=devices, in_specs=(of_members, of_all), out_specs=of_members, check_vma=False))


def serve(work: dict[str, Any], checked: np.ndarray[Any, Any], train: Callable[[int], object]) -> None:
    """Answer with the checked parameters, (members, n_params), and seconds of one member's epoch, the best and the median of the rounds."""
    train(1)  # compiles
    times = []
    for _ in range(work["rounds"]):
        begin = time.perf_counter()
        train(work["epochs"])
        times.append((time.perf_counter() - begin) / (work["epochs"] * len(work["params"])))
    print(json.dumps({"best": min(times), "median": float(np.median(times)), "checked": checked.tolist()}))
