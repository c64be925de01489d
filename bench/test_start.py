"""The whole programs of start.py by those who are installed: each comes to what it must. Nothing is timed."""

import programs
import pytest
import start
from programs import LIBRARIES


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    pytest.importorskip("sklearn", reason="whose data the works are")
    folder = tmp_path_factory.mktemp("data")
    start.write_data(folder)
    return folder


@pytest.mark.parametrize("work", start.WORKS, ids=lambda work: work.name)
@pytest.mark.parametrize("kind", start.KINDS)
def test_result(kind, work, data, tmp_path):
    if kind in LIBRARIES and programs.version(kind) is None:
        pytest.skip(f"{kind} is not installed")
    seconds = start.run(kind, work, data, tmp_path)
    not_theirs = {"scikit-learn": ("xor", "many", "own"), start.FASTGD: ()}.get(kind, ("own",))
    assert (seconds is None) == (work.name in not_theirs)
