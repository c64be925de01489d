"""The picture of the house says what the imports say."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
MACHINERY = Path(__file__).parent.parent / "docs" / "machinery"


@pytest.fixture
def house():
    spec = importlib.util.spec_from_file_location("house", MACHINERY / "house.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_arrow_that_another_way_leads_along_is_left_out(house):
    arrows = {"p.a": {"p.b", "p.c"}, "p.b": {"p.c", "p.d.one"}, "p.c": set(), "p.d.one": {"p.d.two"}, "p.d.two": {"p.c"}}
    known = house.rooms_known(arrows, lambda module: module.split(".")[1])
    assert known == {"a": {"b"}, "b": {"d"}, "c": set(), "d": {"c"}}


def test_rooms_of_a_floor_stand_apart(house):
    architecture = house.architecture()
    known = house.rooms_known(architecture.arrows(), architecture.room_of)
    x = house.places(architecture.FLOORS, known)
    assert set(x) == set(known)
    for rooms in architecture.FLOORS:
        for one, other in ((one, other) for one in rooms for other in rooms if one < other):
            assert abs(x[one] - x[other]) > (house.width(one) + house.width(other)) / 2


def test_it_has_a_box_for_each_room(house, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    plt = sys.modules["matplotlib.pyplot"]
    house.draw()
    (ax,) = plt.gcf().axes
    titles = {text.get_text() for text in ax.texts}
    plt.close("all")
    assert titles >= {room if room != "__init__" else "fastgd" for rooms in house.architecture().FLOORS for room in rooms}
