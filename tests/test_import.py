"""What importing and describing costs: nothing is loaded before it is needed."""

import pytest

import fastgd

HEAVY = ["numba", "scipy", "llvmlite", "matplotlib", "sklearn"]


@pytest.mark.parametrize(
    "program",
    [
        "import fastgd",
        "import fastgd; fastgd.MLP(64, 32, 10, activation='relu', output='softmax', loss='cross_entropy')",
        "import fastgd; net = fastgd.MLP(2, 2, 1); net.unpack(net.init(rng=0)); repr(net); dir(fastgd)",
        "import fastgd; fastgd.data.gate('xor'); fastgd.data.twice()",
        "import fastgd; fastgd.Run; fastgd.History; fastgd.DivergedError; fastgd.load_run",
        "import fastgd; fastgd.train",
    ],
)
def test_nothing_heavy(program, python):
    loaded = python(f"{program}\nimport sys\nprint([m for m in {HEAVY} if m in sys.modules])")
    assert loaded.strip() == "[]"


def test_import_alone_loads_no_numpy(python):
    assert python("import fastgd, sys; print('numpy' in sys.modules)").strip() == "False"


def test_public_names():
    for name in fastgd.__all__:
        assert getattr(fastgd, name) is not None
    assert {"MLP", "train", "Run", "load_run", "DivergedError", "data"} <= set(dir(fastgd))
    with pytest.raises(AttributeError, match="no_such_name"):
        fastgd.no_such_name  # noqa: B018
