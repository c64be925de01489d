"""The work queue that threads share: every interleaving of its atomic steps, played one after another in Python."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from fastgd.kernels.threads import work_queue as queue

PARTS, TASKS, MOST_LOOKS = 2, 2, 50
STEPS = 6  # of the leader's, after each of which the helper makes 0 to 3 of its own; after further ones, 3


class Game:
    """A leader whose every atomic step may be followed by some of a helper's; they share counters and write down who does what."""

    def __init__(self, monkeypatch, moves):
        self.queue = SimpleNamespace(counters=np.zeros(48, np.int64), back_off=0)
        self.moves, self.is_leader = iter(moves), True
        self.done, self.overdone = [], []
        self.helper = self.help_out()
        for name, step in {"read": self.read, "write": self.write, "add": self.add}.items():
            monkeypatch.setattr(queue, name, step)
        monkeypatch.setattr(queue, "relax", lambda: None)
        monkeypatch.setattr(queue, "give_way", lambda address: None)
        for name in ("publish", "take", "finish", "wait_for_all", "wait_for_task", "back_off"):
            function = getattr(queue, name)
            monkeypatch.setattr(queue, name, getattr(function, "py_func", function))

    def after_a_step(self):
        if self.is_leader:
            self.is_leader = False
            for _ in range(next(self.moves, 3)):
                next(self.helper)
            self.is_leader = True

    def read(self, counters, place):
        value = int(counters[place])
        self.after_a_step()
        return value

    def write(self, counters, place, value):
        counters[place] = value
        self.after_a_step()

    def add(self, counters, place, value):
        before = int(counters[place])
        counters[place] += value
        self.after_a_step()
        return before

    def help_out(self):
        """A helper who looks for parts for ever: takes one, does it, says so, each a step of its own."""
        while True:
            part = queue.take(self.queue)
            yield
            if part >= 0:
                self.done.append((self.task, part, "helper"))
                yield
                queue.finish(self.queue)
            yield

    def lead(self):
        """So many tasks, as `tasks` has them done."""
        for self.task in range(TASKS):
            queue.publish(self.queue, PARTS)
            part = queue.take(self.queue)
            while part >= 0:
                self.done.append((self.task, part, "leader"))
                queue.finish(self.queue)
                part = queue.take(self.queue)
            self.wait()
            assert sorted(part for task, part, _ in self.done if task == self.task) == list(range(PARTS))

    def wait(self):
        def back_off(shared, spins):
            assert spins < MOST_LOOKS, f"the leader waits for ever: {self.done}"

        queue.back_off = back_off
        queue.wait_for_all(self.queue, PARTS)


def test_every_part_is_done_once_and_waited_for(monkeypatch):
    """Wherever the helper comes in between, even between the two writes of a task that is put up."""
    helped = set()
    for moves in product(range(4), repeat=STEPS):
        with monkeypatch.context() as patched:
            game = Game(patched, moves)
            game.lead()
            helped |= {(part, member_of_lane) for _, part, member_of_lane in game.done}
    assert helped == set(product(range(PARTS), ["leader", "helper"]))  # each was done by either


def test_the_game_finds_a_counter_that_is_reset_too_late(monkeypatch):
    """What a helper finishes between the two writes would be forgotten."""

    def publish(shared, parts):
        number = queue.read(shared.counters, queue.TAKEN) // queue._TASK + 1
        queue.write(shared.counters, queue.TAKEN, number * queue._TASK + parts * queue._PARTS)
        queue.write(shared.counters, queue.FINISHED, 0)

    def play():
        for moves in product(range(4), repeat=STEPS):
            with monkeypatch.context() as patched:
                game = Game(patched, moves)
                patched.setattr(queue, "publish", publish)
                game.lead()

    with pytest.raises(AssertionError, match="the leader waits for ever"):
        play()
