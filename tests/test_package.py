"""What is shipped: a wheel of all modules, with their types, and a source distribution that tests run from."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from fastgd.kernels.shipped import shipped
from fastgd.machine import ready_made

ROOT = Path(__file__).parent.parent
FOLDERS = ("fastgd", "tests", "bench", "docs", "scripts")
# by work in the folder, no part of the project
MADE = ("__pycache__", "*.py[cod]", "*.egg-info", ".*", "build", "dist", "_build", "_pictures", "*.npz")
IMPORTED_AS = {"scikit-learn": "sklearn", "pytest-xdist": "xdist", "mlflow-skinny": "mlflow"}


def run(*command, cwd, **environment):
    """What a program prints, having ended well."""
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


BUILD = """
import sys
sys.path.insert(0, "scripts")
import build_backend
sys.modules["scripts.build_backend"] = build_backend  # by which setuptools has it
{change}
build_backend.build_{kind}(sys.argv[1])
"""


def built(kind, source, folder, change="", **environment):
    """The file that the project's own build backend makes of a source folder, with no ready-made kernels unless asked for; what it said."""
    environment = {"FASTGD_READY_MADE": "0", **environment}
    done = run("-W", "error", "-c", BUILD.format(kind=kind, change=change), folder, cwd=source, **environment)
    (file,) = folder.iterdir()
    return file, done


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The folder that the source distribution unpacks to."""
    source, made, unpacked = (tmp_path_factory.mktemp(name) for name in ("source", "made", "unpacked"))
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*MADE), dirs_exist_ok=True)
    with tarfile.open(built("sdist", source, made)[0]) as archive:
        archive.extractall(unpacked, filter="data")
    (folder,) = unpacked.iterdir()
    return folder


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel that is built of the unpacked source distribution, as pip does it."""
    source = shutil.copytree(sdist, tmp_path_factory.mktemp("wheel-source") / "fastgd")
    file, _ = built("wheel", source, tmp_path_factory.mktemp("wheel"))
    assert file.name.endswith("-py3-none-any.whl")
    return zipfile.ZipFile(file)


def files_of(folder, name):
    """The files of one of its folders, seen from it."""
    ignored = shutil.ignore_patterns(*MADE)
    found = set()
    for place, folders, files in os.walk(folder / name):
        folders[:] = set(folders) - ignored(place, folders)
        found |= {(Path(place) / file).relative_to(folder).as_posix() for file in set(files) - ignored(place, files)}
    return found


@pytest.mark.parametrize("name", FOLDERS)
def test_the_source_distribution_has_every_file(name, sdist):
    assert files_of(sdist, name) == files_of(ROOT, name)
    assert {"LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "README.md", "pyproject.toml"} <= set(os.listdir(sdist))


@pytest.mark.parametrize("name", ["tests", "bench"])
def test_every_test_is_found_in_the_source_distribution(name, sdist):
    """None lacks what it imports."""
    collected = run("-m", "pytest", "--collect-only", "-q", "-n0", "-p", "no:cacheprovider", name, cwd=sdist, PYTHONPATH=str(sdist))
    for file in (ROOT / name).glob("test_*.py"):
        assert f"{name}/{file.name}::" in collected


def test_tests_run_from_the_source_distribution(sdist):
    """By its own package, with the data, the oracle and the fixtures that it has."""
    tests = "tests/test_import.py", "tests/test_trajectories.py", "tests/test_spans.py"
    chosen = "public or heavy or (unrolled and nand) or spans"
    told = run("-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *tests, "-k", chosen, cwd=sdist, PYTHONPATH=str(sdist))
    assert re.search(r"\b\d\d+ passed", told), told


def test_the_wheel_has_every_module(wheel):
    info = next(name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" in name)
    assert {name for name in wheel.namelist() if not name.startswith(f"{info}/")} == files_of(ROOT, "fastgd")
    assert "fastgd/py.typed" in wheel.namelist()
    assert wheel.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert wheel.read(f"{info}/entry_points.txt").decode().split() == ["[console_scripts]", "fastgd", "=", "fastgd.cli:main"]


PROGRAM = """
import fastgd
reveal_type(fastgd.train(fastgd.MLP(2, 1), [[0, 1]], [1], 5, callback=lambda progress: progress.epoch > 3))
reveal_type(fastgd.load_runs("runs.npz")[0].history.stride)
"""


def test_types_are_seen_where_the_wheel_is_installed(wheel, tmp_path):
    environment = tmp_path / "environment"
    venv.create(environment)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    places = "import sysconfig; print(sysconfig.get_path('purelib'))"
    wheel.extractall(subprocess.run([python, "-c", places], capture_output=True, text=True, check=True).stdout.strip())
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "--cache-dir", tmp_path / "cache", "program.py"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, env=os.environ | {"PYTHONPATH": ""}).stdout
    assert 'Revealed type is "fastgd.training.run.Run"' in told
    assert 'error: "History" has no attribute "stride"' in told
    assert "Found 1 error" in told


@pytest.fixture
def source(sdist, tmp_path):
    """A source folder to build in."""
    return shutil.copytree(sdist, tmp_path / "source")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("build_backend.SECONDS = 0", "0 seconds are over"),
        ("build_backend._MAKE = 'raise OSError(28, \"No space left on device\")'", "No space left on device"),
        ("build_backend.subprocess = None", "AttributeError"),
        ("sys.modules['numba'] = sys.modules['llvmlite'] = None", "ModuleNotFoundError"),
    ],
)
def test_a_wheel_is_built_whatever_goes_wrong_with_its_kernels(change, reason, source, tmp_path):
    """Without them, for every platform, and said."""
    (tmp_path / "wheel").mkdir()
    file, told = built("wheel", source, tmp_path / "wheel", change, FASTGD_READY_MADE="")
    assert "ready-made kernels are missing, which will be compiled when they are called first: " in told
    assert reason in told
    assert file.name.endswith("-py3-none-any.whl")
    assert not [name for name in zipfile.ZipFile(file).namelist() if name.endswith(".kernel")]


# what is written in place of a kernel
SHORT = """build_backend._MAKE = '''
import os, sys
with open(os.path.join(sys.argv[2], sys.argv[1] + ".kernel"), "w") as file:
    file.write(os.environ["NUMBA_CPU_NAME"] + " " + os.environ["NUMBA_CPU_FEATURES"])
'''"""


@pytest.mark.parametrize(("which", "levels"), [("", ready_made.levels()[:1]), ("all", ready_made.published())])
def test_a_wheel_with_machine_code_is_for_one_platform(which, levels, source, tmp_path):
    """Each kernel is made for each level; what an earlier build has left is not there, modules either, of which no kernel is made."""
    for name in ("ready_made/old/old.kernel", "machine/old.py"):
        left = source / "build" / "lib" / "fastgd" / name
        left.parent.mkdir(parents=True)
        left.write_text("")
    (tmp_path / "wheel").mkdir()
    file, told = built("wheel", source, tmp_path / "wheel", SHORT, FASTGD_READY_MADE=which)
    assert "missing" not in told
    assert "-py3-none-" in file.name
    assert not file.name.endswith("-any.whl")
    wheel = zipfile.ZipFile(file)
    kernels = [name for name in wheel.namelist() if name.endswith(".kernel")]
    assert len(kernels) == len(levels) * len(shipped())
    settings = {level.name: " ".join(level.settings.values()) for level in levels}
    assert all(wheel.read(name).decode() == settings[Path(name).parent.name] for name in kernels)
    assert "fastgd/machine/old.py" not in wheel.namelist()


@pytest.mark.parametrize(("names", "told"), [((), ""), (("z80", "pdp-11"), " for this processor, but for pdp-11, z80")])
def test_a_wheel_for_other_processors_is_not_tried(names, told, tmp_path):
    wheel = tmp_path / "fastgd-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("fastgd/__init__.py", "")
        for name in names:
            file.writestr(f"fastgd/ready_made/{name}/0.kernel", "")
    command = [sys.executable, ROOT / "scripts" / "build_wheel.py", "--wheel", wheel]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 1
    assert done.stderr == f"{wheel.name} has no machine code{told}\n"


def test_an_editable_installation_has_no_kernels(source, tmp_path):
    (tmp_path / "wheel").mkdir()
    change = f"{SHORT}\nimport setuptools, warnings; warnings.simplefilter('ignore', setuptools.warnings.InformationOnly)"
    file, _ = built("editable", source, tmp_path / "wheel", change, FASTGD_READY_MADE="")
    assert file.name.endswith("-py3-none-any.whl")
    assert not list(source.rglob("*.kernel"))


def imported(folder):
    """Names of the packages that its modules import, other than Python's own and its own."""
    names = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    own = {file.stem for file in folder.rglob("*.py")}
    return names - set(sys.stdlib_module_names) - own - {"fastgd"}


def test_every_import_is_declared(wheel):
    """Of the package by its dependencies or extras, of the tests by the extra `test`."""
    metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    declared = {}
    for line in wheel.read(metadata).decode().splitlines():
        if needed := re.match(r"Requires-Dist: ([\w.-]+)(\[[\w,]+\])?[^;]*(?:; extra == ['\"](\w+)['\"])?$", line):
            name, others, extra = needed.groups()
            names = others.strip("[]").split(",") if name == "fastgd" else [IMPORTED_AS.get(name, name)]
            declared.setdefault(extra, set()).update(names)
    always = declared[None]
    tests = {name for extra in declared["test"] for name in declared.get(extra, {extra})}
    optional = set().union(*(names for extra, names in declared.items() if extra not in (None, "test", "bench", "dev")))
    assert imported(ROOT / "fastgd") <= always | optional
    assert imported(ROOT / "tests") <= always | tests | {"machinery"}  # which runs the docs
