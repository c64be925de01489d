"""Tasks that threads share: which thread does a part changes no bit, and no part is lost among many short tasks."""

import threading

import numpy as np
import oracle
import pytest
from conftest import random_problem
from interruptions import wait_until
from small_problem import assert_close

import fastgd
from fastgd import kernels
from fastgd.kernels.codes import HELP, TRAIN
from fastgd.machine.cache import entry
from fastgd.options import Options
from fastgd.samples import Samples

NET = fastgd.MLP(60, 256, 10)
WRITE_DOWN, DO, BETWEEN = range(3)
STEPS = '''"""The steps of a shared pass, one at a time, by whichever thread calls."""

import numpy as np

from fastgd.kernels.epoch import problem_of
from fastgd.kernels.matrix import row_parts, sliced_layers, tasks
from fastgd.kernels.matrix.out_of_line import output_delta, softmax_layer
from fastgd.kernels.matrix.unit_slices import slices_of
from fastgd.kernels.codes import SCALE
from fastgd.machine.jit import kernel


@kernel
def train(address, zero, code):
    """code: what to do, a kind of task, a layer, a part."""
    problem = problem_of(address, zero)
    net, data, work, task = problem.net, problem.data, problem.work, problem.queue.task
    action, kind, layer, part = code // 1_000_000, code // 10_000 % 100, code // 100 % 100, code % 100
    if action == 1:
        if task[tasks.KIND] == tasks.PASS:
            row_parts.do_part(problem, np.int64(part))
        else:
            sliced_layers.do_part(problem, np.int64(part))
    elif action == 2:
        softmax_layer(net, work, data.n, np.int64(net.layers - 1))
        output_delta(net, work, data.n)
    else:
        tasks.write_down(problem, np.int64(0), data.n, float(data.n), True)
        problem.queue.numbers[SCALE] = 1.0
        task[tasks.KIND], task[tasks.LAYER], task[tasks.PARTS] = kind, layer, data.row_parts
        if kind == tasks.GATHER:
            task[tasks.PARTS] = 2
        elif kind == tasks.BACKWARD:
            task[tasks.PARTS] = slices_of(net, layer, net.widths[layer], data.n)
        elif kind != tasks.PASS:
            task[tasks.PARTS] = slices_of(net, layer, net.widths[layer + 1], data.n)
'''
PASS, GATHER, FORWARD, BACKWARD, GRADIENT = range(5)  # kinds, as `tasks` numbers them
KINDS = {  # rows of a batch, and the steps of a pass over them
    "row parts": (512, [(WRITE_DOWN, PASS, 0)]),
    "unit slices": (
        64,
        [
            (WRITE_DOWN, GATHER, 0), (WRITE_DOWN, FORWARD, 0), (WRITE_DOWN, FORWARD, 1), (BETWEEN, 0, 0), (WRITE_DOWN, GRADIENT, 1),
            (WRITE_DOWN, BACKWARD, 1), (WRITE_DOWN, GRADIENT, 0),
        ],
    ),
}  # fmt: skip


def gradient_of(bound, state, steps, whose):
    """The gradients that a pass leaves whose parts are done by `whose(part)`, 0 or 1, in two threads at once."""
    problems = [bound.problem(state, TRAIN, rank=rank) for rank in range(2)]  # structs point to what they keep alive
    structs, step = [bound._struct(problem) for problem in problems], entry("steps", STEPS, "train", NET.dtype)
    met = []
    for action, kind, layer in steps:
        step(structs[0], action * 1_000_000 + kind * 10_000 + layer * 100)
        if action == BETWEEN:
            continue
        parts = range(int(bound.queue.task[1]))
        met += [len(parts)]
        barrier = threading.Barrier(2)

        def work(rank, parts=parts, barrier=barrier):
            barrier.wait()
            for part in parts:
                if whose(part) == rank:
                    step(structs[rank], DO * 1_000_000 + part)

        threads = [threading.Thread(target=work, args=(rank,)) for rank in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert max(met) > 1
    size = bound.size
    gradient = bound.works[0].gradient
    return np.array([gradient[part * size : (part + 1) * size] for part in range(bound.data.row_parts)])


@pytest.mark.parametrize("kind", KINDS)
def test_two_threads_meet(kind):
    """Both at work on every task, one after the other or in turns: as the oracle, and to the bits of one."""
    n, steps = KINDS[kind]
    X, Y, params = random_problem(NET, n)
    options = Options(batch_size=None, learning_rate=0.1, shuffle=False)
    plan = kernels.make_plan(NET, n, options, "matrix")
    assert (plan.row_parts(n) > 1, plan.unit_slices) == (kind == "row parts", kind == "unit slices")
    bound = kernels.load(plan, options, Samples.alike(X, Y), threads=2)
    state = bound.start(params)
    alone = gradient_of(bound, state, steps, lambda part: 0)
    assert_close(alone.sum(axis=0)[: NET.n_params], oracle.gradient(NET, params, X, Y))
    for whose in (lambda part: 1, lambda part: part % 2, lambda part: 1 - part % 2):
        assert np.array_equal(gradient_of(bound, state, steps, whose), alone)


STRESS = '''"""Many short tasks: each part counts itself."""

from fastgd.kernels.epoch import problem_of
from fastgd.kernels.codes import HELP
from fastgd.kernels.threads.work_queue import finish, publish, take, wait_for_all, wait_for_task
from fastgd.machine.atomic import add
from fastgd.machine.jit import kernel


@kernel
def take_all(queue):
    part = take(queue)
    while part >= 0:
        add(queue.task, part, 1)
        finish(queue)
        part = take(queue)


@kernel
def train(address, zero, tasks):
    """The leader leaves in task[4] after how many tasks a part was not done once."""
    problem = problem_of(address, zero)
    queue = problem.queue
    if problem.command == HELP:
        number = wait_for_task(queue, 0)
        while number != 0:
            take_all(queue)
            number = wait_for_task(queue, number)
        return
    for i in range(tasks):
        parts = 1 + i % 3
        for part in range(3):
            queue.task[part] = 0
        publish(queue, parts)
        take_all(queue)
        wait_for_all(queue, parts)
        for part in range(3):
            if queue.task[part] != (1 if part < parts else 0):
                queue.task[4] = i + 1
'''


@pytest.mark.parametrize("helpers", [0, 1, 3])
def test_no_part_of_many_short_tasks_is_lost(helpers):
    """Nor done twice; a leader who waits for ever for one that is fails this test."""
    X, Y, params = random_problem(NET, 512)
    options, tasks = Options(shuffle=False), 100_000
    bound = kernels.load(kernels.make_plan(NET, 512, options, "matrix"), options, Samples.alike(X, Y), threads=1)
    state, run = bound.start(params), entry("stress", STRESS, "train", NET.dtype)
    problems = [bound.problem(state, TRAIN)._replace(command=command) for command in (TRAIN, HELP)]
    leads, helps = (bound._struct(problem) for problem in problems)
    from fastgd.kernels.threads.pool import Helpers

    pool = Helpers(helpers)
    pool.counters = bound.queue.counters
    pool.start()
    ended = []

    def lead():
        with pool.at_work([run.call_of(helps)] * helpers):
            run(leads, tasks)
        pool.stop()
        ended.append(bound.queue.task[4])

    threading.Thread(target=lead, daemon=True).start()
    wait_until(lambda: ended)
    assert ended == [0]


def test_kinds_of_tasks_are_numbered_as_here():
    from fastgd.kernels.matrix import tasks

    named = [tasks.PASS, tasks.GATHER, tasks.FORWARD, tasks.BACKWARD, tasks.GRADIENT]
    assert named == [PASS, GATHER, FORWARD, BACKWARD, GRADIENT]
    assert tasks.PARTS == 1
