"""The house as one picture, drawn from its imports and from the floors that tests/test_architecture.py holds them to."""

import importlib.util
import itertools
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.patches import FancyBboxPatch, Patch

GROUPS = {  # from the floor of each room on: what lies there, and its colour
    "names": ("descriptions and flat arrays", "#dcebd3"),
    "machine": ("compiled code", "#f6dfc8"),
    "predictor": ("networks that compute", "#d6e6f4"),
    "training": ("runs, and where people meet them", "#e8dff2"),
}
TEXT_WIDTH, GAP, HEIGHT = 0.14, 0.45, 0.66  # of a letter, between boxes, of a box; a floor is 1 high


def architecture():
    """tests/test_architecture.py as a module."""
    path = Path(__file__).resolve().parents[2] / "tests" / "test_architecture.py"
    spec = importlib.util.spec_from_file_location("test_architecture", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rooms_known(arrows, room_of):
    """{room: the rooms that it imports, but for those that one of these leads to}."""
    known = {}
    for module, others in arrows.items():
        known.setdefault(room_of(module), set()).update(map(room_of, others))
    for room, others in known.items():
        others.discard(room)

    def led_to(room):
        others = set(known[room])
        return others.union(*map(led_to, others))

    return {room: {other for other in others if not any(other in led_to(each) for each in others)} for room, others in known.items()}


def places(floors, known):
    """{room: x}, each near those that it knows and that know it, no two of a floor closer than their names are wide."""
    x = {room: (i - (len(rooms) - 1) / 2) * 2 for rooms in floors for i, room in enumerate(rooms)}
    near = {room: others | {other for other in x if room in known[other]} for room, others in known.items()}
    for _ in range(30):
        for rooms in floors:
            wanted = {room: sum(x[other] for other in near[room]) / len(near[room]) if near[room] else x[room] for room in rooms}
            order = sorted(rooms, key=wanted.get)
            left = [wanted[order[0]]]
            for before, room in itertools.pairwise(order):
                left.append(max(wanted[room], left[-1] + (width(before) + width(room)) / 2 + GAP))
            shift = sum(wanted[room] - place for room, place in zip(order, left, strict=True)) / len(order)
            x |= {room: place + shift for room, place in zip(order, left, strict=True)}
    return x


def title(room):
    return "fastgd" if room == "__init__" else room


def width(room):
    return TEXT_WIDTH * len(title(room)) + 0.35


def lines_of(package, room):
    """How many lines of Python a room is."""
    files = (package / room).rglob("*.py") if (package / room).is_dir() else [package / f"{room}.py"]
    return sum(path.read_text(encoding="utf-8").count("\n") for path in files)


def draw():
    """A box for each room, on its floor, with its lines of Python; an arrow to each that it knows, unless one of these leads there."""
    house = architecture()
    known = rooms_known(house.arrows(), house.room_of)
    floors = [[room for room in rooms if room in known] for rooms in house.FLOORS]
    x, y = places(floors, known), {room: floor for floor, rooms in enumerate(floors) for room in rooms}
    _, ax = plt.subplots(figsize=(8, 0.5 * len(floors)))
    for room, others in known.items():
        for other in others:
            start, end = (x[room], y[room] - HEIGHT / 2), (x[other], y[other] + HEIGHT / 2)
            ax.annotate("", end, start, zorder=0, arrowprops={"arrowstyle": "-|>", "color": "0.45", "lw": 0.8, "shrinkA": 0, "shrinkB": 0})
    colours, colour = {}, None
    for rooms in floors:
        colour = next((GROUPS[room][1] for room in rooms if room in GROUPS), colour)
        colours |= dict.fromkeys(rooms, colour)
    for room, place in x.items():
        box = FancyBboxPatch(
            (place - width(room) / 2, y[room] - HEIGHT / 2), width(room), HEIGHT, boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=colours[room], edgecolor="0.35", lw=0.8,
        )  # fmt: skip
        ax.add_patch(box)
        ax.text(place, y[room] + 0.13, title(room), ha="center", va="center", fontsize=8.5, weight="bold")
        ax.text(place, y[room] - 0.17, f"{lines_of(house.PACKAGE, room):,}", ha="center", va="center", fontsize=6, color="0.3")
    ax.legend(
        handles=[Patch(facecolor=colour, edgecolor="0.35", label=name) for name, colour in GROUPS.values()],
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        ncols=2,
        frameon=False,
        fontsize=9,
    )
    ax.set(xlim=(min(x.values()) - 1.2, max(x.values()) + 1.2), ylim=(-0.5, len(floors) - 0.5))
    ax.axis("off")
