"""The house as its imports have it: rooms on floors, arrows that point down, no circle."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import fastgd

PACKAGE = Path(fastgd.__file__).parent
# from the ground up; a room is a folder or a file, and knows what lies on lower floors, or beside it in its own folder
FLOORS = (
    ("names", "numeric", "system"),
    ("arguments",),
    ("functions",),
    ("activations",),
    ("losses",),
    ("optimizers", "schedules", "state", "data", "chosen_functions"),
    ("network",),
    ("options", "samples", "export", "svg", "words"),
    ("report", "member_settings"),
    ("callbacks",),
    ("machine",),
    ("formulas",),
    ("kernels",),
    ("predictor", "derivation"),
    ("derivatives",),
    ("objective", "written"),
    ("mlp",),
    ("page",),
    ("training", "from_others"),
    ("ensemble", "play"),
    ("sklearn", "plotting"),
    ("__init__",),
    ("cli",),
    ("__main__",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def module_of(path):
    """fastgd.kernels.plan of fastgd/kernels/plan.py; a package is its folder."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(text):
    """Names of modules that a text imports, be it inside a function or for types alone."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


def arrows():
    """{module: the modules that it imports}."""
    return {
        module: {
            "fastgd.__init__" if name == "fastgd" else name
            for name in imported(path.read_text(encoding="utf-8"))
            if name.partition(".")[0] == "fastgd"
        }
        - {module}
        for module, path in MODULES.items()
    }


def room_of(module):
    return module.split(".")[1]


def upward(graph):
    return [
        f"{module} -> {other}"
        for module, others in graph.items()
        for other in others
        if room_of(module) != room_of(other) and FLOOR_OF[room_of(other)] >= FLOOR_OF[room_of(module)]
    ]


def test_every_room_has_a_floor():
    assert {room_of(module) for module in MODULES} == set(FLOOR_OF)


def test_no_arrow_points_up():
    assert upward(arrows()) == []


def circle(graph):
    """Modules that lead back to the first, if there are such."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_there_is_no_circle():
    assert circle({"one": {"other"}, "other": {"one"}}) != []
    assert circle(arrows()) == []


def test_numba_is_at_arms_length():
    """Nothing but `machine` knows Numba and LLVM; compiled code has all of it from there."""
    known_by = {
        room_of(module)
        for module, path in MODULES.items()
        if {name.partition(".")[0] for name in imported(path.read_text(encoding="utf-8"))} & {"numba", "llvmlite"}
    }
    assert known_by == {"machine"}


def test_numba_is_taken_by_its_public_names():
    """Besides what Numba offers to all who extend it, all of which stands in two files."""
    private = {
        module
        for module, path in MODULES.items()
        if any(name.startswith("numba.") and name != "numba.extending" for name in imported(path.read_text(encoding="utf-8")))
    }
    assert private == {"fastgd.machine.internals", "fastgd.machine.object_code"}
