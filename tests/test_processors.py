"""How many threads there are by default: settings are understood as a whole, and what is not understood is said."""

import ctypes
import glob
import io
import os
import platform
import sys
import sysconfig
import warnings

import pytest

from fastgd.cli.options import machine
from fastgd.kernels import available_threads
from fastgd.system import processors

UNDERSTOOD = {
    "1": 1, "1,1": 1, " 1 ": 1, "2,1": 2, "3 , 2": 3, "\t2\n": 2, "+2": 2, "007": 7, "0" * 30 + "5": 5, "4,3,2,1": 4,
    "9223372036854775807": 2**63 - 1,
}  # fmt: skip
NOT_UNDERSTOOD = [
    "0", "-1", "x", "2.5", "1,", ",1", "1,0", "1,x", "1;2", "1 2", "0x10", "2threads", "1e1", "\u0663", "9223372036854775808", "9" * 5000,
]  # fmt: skip


own_processors = processors._processors


@pytest.fixture(autouse=True)
def many_processors(monkeypatch):
    """More than anybody asks for, without a control group's limit."""
    monkeypatch.setattr(processors, "_processors", lambda: 1000)
    monkeypatch.setattr(processors, "_GROUP", processors.Path("no such file"))
    for cached in (processors._quota, processors._openmp_limit):
        cached.cache_clear()
    yield
    for cached in (processors._quota, processors._openmp_limit):
        cached.cache_clear()


@pytest.mark.parametrize(("text", "expected"), UNDERSTOOD.items())
def test_the_first_number_of_openmp(text, expected, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert available_threads() == min(expected, 1000)


@pytest.mark.parametrize("text", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_said_once(text, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    with pytest.warns(RuntimeWarning, match="OMP_NUM_THREADS") as warned:
        assert available_threads() == 1000
    (warning,) = warned
    assert repr(text) in str(warning.message)
    assert warning.filename == __file__
    assert available_threads() == 1000


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_setting_is_none(text, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert available_threads() == 1000


LIBRARIES = glob.glob(os.path.join(sysconfig.get_paths()["platlib"], "scikit_learn.libs", "libgomp*"))


@pytest.mark.skipif(not LIBRARIES, reason="scikit-learn brings no libgomp here")
def test_as_libgomp_reads_it(python, monkeypatch):
    """GNU's OpenMP itself, as scikit-learn brings it, each time in a process of its own."""
    program = f"import ctypes; print(ctypes.CDLL({LIBRARIES[0]!r}).omp_get_max_threads())"

    def of_libgomp(text):
        return ctypes.c_uint32(int(python(program, OMP_NUM_THREADS=text))).value

    default = of_libgomp("")
    for text in [*UNDERSTOOD, *NOT_UNDERSTOOD, " "]:
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            threads = available_threads()
        assert of_libgomp(text) == default if text not in UNDERSTOOD else min(of_libgomp(text), 1000) == threads, text
        assert threads == 1000 or text in UNDERSTOOD


@pytest.mark.skipif(sys.version_info < (3, 13), reason="PYTHON_CPU_COUNT is of Python 3.13")
def test_the_count_that_python_is_told(python):
    program = "from fastgd.kernels import available_threads; print(available_threads())"
    assert python(program, PYTHON_CPU_COUNT="1").strip() == "1"


def test_a_sandbox_that_does_not_say(monkeypatch):
    def refuse(*arguments):
        raise PermissionError(1, "Operation not permitted")

    for name in ("sched_getaffinity", "process_cpu_count"):
        monkeypatch.setattr(os, name, refuse, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert own_processors() == 3


# -- control groups ------------------------------------------------------------------------------------------------------

CASES = {
    "a container": ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
    "a container without a limit": ("0::/\n", {"cpu.max": "max 100000\n"}, 1000),
    "less than one": ("0::/\n", {"cpu.max": "5000 100000\n"}, 1),
    "a service, whose slice has less": (
        "0::/system.slice/training.service\n",
        {"system.slice/cpu.max": "300000 100000\n", "system.slice/training.service/cpu.max": "800000 100000\n"},
        3,
    ),
    "a name from outside": ("0::/docker/0123\n", {"cpu.max": "400000 100000\n"}, 4),
    "the first version": (
        "5:memory:/a\n4:cpu,cpuacct:/a\n0::/\n",
        {"cpu/a/cpu.cfs_quota_us": "250000\n", "cpu/a/cpu.cfs_period_us": "100000\n"},
        3,
    ),
    "the first version without a limit": (
        "1:cpu:/\n",
        {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
        1000,
    ),
    "of other things": ("5:memory,cpuset:/\n", {"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1000),
    "nonsense": ("0::/\nno group\n\n", {"cpu.max": "?\n"}, 1000),
    "a period of nothing": ("0::/\n", {"cpu.max": "100000 0\n"}, 1000),
    "no files": ("0::/\n", {}, 1000),
    "no text": ("0::/caf\udce9\n", {"cpu.max": "200000 100000\n"}, 2),
}


@pytest.mark.parametrize(("groups", "files", "expected"), CASES.values(), ids=CASES)
def test_a_share_of_the_processors(groups, files, expected, tmp_path, monkeypatch):
    """A container of one processor on a machine of many: more threads would only wait for each other."""
    (tmp_path / "cgroup").write_text(groups, encoding="utf-8", errors="surrogateescape")
    for name, text in files.items():
        path = tmp_path / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(processors, "_GROUP", tmp_path / "cgroup")
    monkeypatch.setattr(processors, "_GROUPS", tmp_path / "fs")
    assert available_threads() == expected


# -- what it is called ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("processor\t: 0\nmodel name\t: A: fast one\n\nmodel name\t: Another\n", "A: fast one"),
        ("model name\n", None),
        ("model name\t:\n", None),
        ("", None),
        (PermissionError(13, "Permission denied"), None),
        (IsADirectoryError(21, "Is a directory"), None),
    ],
)
def test_the_name_of_the_processor(info, expected, monkeypatch):
    """Of /proc/cpuinfo, which a sandbox may lack or make up, or of Python."""

    def read(*arguments, **keywords):
        if isinstance(info, OSError):
            raise info
        return io.StringIO(info)

    known = [platform.processor(), platform.machine(), sys.platform]
    monkeypatch.setattr("builtins.open", read)
    name = machine()
    monkeypatch.undo()
    assert name == expected if expected else name in known
