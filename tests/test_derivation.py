"""`net.derivation`: the same gradient in every language, each line numbered and cited."""

import ctypes
import importlib.util
import re
import shutil
import subprocess
import sys

import numpy as np
import oracle
import pytest
from conftest import random_problem
from every_network import networks, problem_of

import fastgd
from fastgd import numeric
from fastgd.activations import ACTIVATIONS
from fastgd.derivation.derived import derived
from fastgd.derivation.deriving import COST, partial
from fastgd.derivation.kernel_lines import calls_of
from fastgd.derivation.languages import LANGUAGES, MOST_PARAMETERS
from fastgd.derivation.matrix_form import matrix_form
from fastgd.derivation.notes import CITED
from fastgd.functions.formula import variable
from fastgd.functions.function import computed
from fastgd.losses import LOSSES
from fastgd.numeric import exp, where

SHAPES = [
    fastgd.MLP(2, 2, 1),
    fastgd.MLP(2, 1),
    fastgd.MLP(1, 1, activation="identity", bias=False),
    fastgd.MLP(1, 1, 1, 1, activation=["tanh", "relu", "sigmoid"]),
    fastgd.MLP(1, 1, 1, 1, 1, bias=False),
    fastgd.MLP(2, 8, 1, activation="tanh", output="identity"),
    fastgd.MLP(3, 5, 4, 2, activation="sigmoid", output="softmax", loss="cross_entropy"),
    fastgd.MLP(2, 3, 4, activation="relu", output="softmax", loss="cross_entropy(0.1)", bias=False),
    fastgd.MLP(2, 3, 2, activation="tanh", output="softmax"),
    fastgd.MLP(2, 3, 4, activation="tanh", output="identity", loss="gaussian_nll"),
    fastgd.MLP(12, 2, 1, activation="softplus(2)", output="sigmoid", loss="binary_cross_entropy(0.2)"),
]


def own_network():
    """Functions of one's own, one of them linear: its derivatives need no argument."""
    bent = fastgd.Activation(lambda z: where(z < 0, exp(z) - 1, 3 * z), name="bent")
    twice = fastgd.Activation(lambda z: 2 * z, name="twice")
    return fastgd.MLP(2, 2, 1, activation=[bent, twice], loss=fastgd.Loss(lambda a, y: a - y, name="above"))


def module_of(net):
    """What the text in Python defines."""
    names = {}
    exec(net.derivation(to="python"), names)
    return names


def central(cost, params, X, Y):
    """The gradient by central differences."""
    return np.array([cost(params + row, X, Y) - cost(params - row, X, Y) for row in 1e-6 * np.eye(len(params))]) / 2e-6


def ids(net):
    return "-".join(map(str, net.widths)) + "-" + net.loss


# -- python ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("net", [*SHAPES, own_network()], ids=ids)
def test_python_is_the_gradient(net):
    """By the kernel to 1e-12, and by central differences of its own cost."""
    X, Y, params = random_problem(net, 6)
    module = module_of(net)
    ours = module["gradient"](params, X, Y)
    np.testing.assert_allclose(ours, net.gradient(params, X, Y), rtol=1e-12, atol=1e-12)
    assert module["cost"](params, X, Y) == pytest.approx(net.cost(params, X, Y), rel=1e-12)
    np.testing.assert_allclose(ours, central(module["cost"], params, X, Y), atol=1e-7)
    assert ("layerwise_gradient" in module) == (net.loss == "squared_error")
    if net.loss == "squared_error":
        layerwise = module["layerwise_gradient"](params, X, Y)
        np.testing.assert_allclose(layerwise, net.gradient(params, X, Y, method="layerwise"), rtol=1e-12, atol=1e-12)


def test_python_by_every_activation_and_loss():
    count = 0
    for net in networks("float64"):
        X, Y, params = problem_of(net)
        ours = module_of(net)["gradient"](params, X, Y)
        np.testing.assert_allclose(ours, oracle.gradient(net, params, X, Y), rtol=1e-10, atol=1e-12, err_msg=str(net))
        np.testing.assert_allclose(ours, net.gradient(params, X, Y), rtol=1e-12, atol=1e-12, err_msg=str(net))
        count += 1
    assert count > 200


def test_python_of_layers_of_a_chain():
    """Each layer's gradient is 2^(m-l) times the exact one."""
    net = fastgd.MLP(1, 1, 1, 1, 1)
    X, Y, params = random_problem(net, 5)
    module = module_of(net)
    factors = np.repeat([8.0, 4.0, 2.0, 1.0], 2)
    np.testing.assert_allclose(module["layerwise_gradient"](params, X, Y), factors * module["gradient"](params, X, Y), rtol=1e-12)


def test_python_takes_columns_and_refuses_others():
    module = module_of(fastgd.MLP(1, 2, 1))
    params, x, y = np.linspace(-1, 1, 7), np.linspace(0, 1, 4), np.linspace(1, 2, 4)
    one, other = module["gradient"](params, x, y), module["gradient"](params, x[:, None], y[:, None])
    np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="unpack"):
        module["gradient"](params[:-1], x, y)
    with pytest.raises(ValueError, match="unpack"):
        module["gradient"](params, np.ones((4, 2)), y)


# -- what is derived -------------------------------------------------------------------------------


@pytest.mark.parametrize("net", [*SHAPES, own_network()], ids=ids)
def test_lines_are_numbered_and_cited(net):
    """From 1 without a gap, the same in the pages and in the code; what is cited is in the table of the notes."""
    equations = derived(net).equations
    numbers = [each.number for each in equations]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {cite for each in equations for cite in each.cites} <= set(CITED)
    for to in ("latex", "markdown"):
        text = net.derivation(to=to)
        assert [int(tag) for tag in re.findall(r"\\tag\{(\d+)\}", text)] == numbers
        told = {cite for tag in re.findall(r"\\scriptstyle\\text\{([^{}]*)\}", text) for cite in tag.split(", ")}
        assert told == {cite for each in equations for cite in each.cites}
    cites = {each.number: ", ".join(each.cites) for each in equations}
    for to in ("python", "c"):
        marks = re.findall(r"(?:#|/\*) \((\d+)\)(?: ([^*\n]+?))?(?: \*/)?$", net.derivation(to=to), re.M)
        assert len(marks) > 8
        for number, cite in marks:
            assert cites[int(number)] == cite


def test_equations_that_are_cited_are_those_of_the_paper():
    """Which has 52, and the headings of 004; each is a case of something."""
    used = {cite for net in SHAPES for each in derived(net).equations for cite in each.cites}
    assert used == set(CITED)
    for cite in CITED:
        file, _, place = cite.partition(" ")
        if file == "002":
            assert 1 <= int(place.strip("()")) <= 52
        else:
            assert file == "004"
            assert place in ("1", "1.1", "Biases", "Weights", "Previous Layer", "Next Layer", "Algorithm 1")


def test_one_neuron_is_that_of_the_notes():
    """(17)-(22), in the notes' own names."""
    text, mean = fastgd.MLP(2, 1).derivation(to="latex"), r"\tfrac{1}{n} \textstyle\sum_{i=1}^n"
    slope = r"2 \left(a_{i} - y_{i}\right) a_{i} \left(1 - a_{i}\right)"
    for line, cite in (
        (r"a_{i} &= \sigma(z_{i})", "002 (11)"),
        (rf"C &= {mean} \ell_i", "002 (17)"),
        (rf"&= {mean} {slope} x_{{i1}}", "002 (20)"),
        (rf"&= {mean} {slope}", "002 (22)"),
    ):
        assert rf"{line} && {{\scriptstyle\text{{{cite}}}}}" in text, line


def test_nothing_is_compiled():
    """For which Numba would be needed."""
    code = "import fastgd, sys; fastgd.MLP(2, 2, 1).derivation(to='python'); sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- latex -----------------------------------------------------------------------------------------

PDFLATEX = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")


def compiles(text, folder):
    """As a document without a line that is wider than the page."""
    (folder / "derivation.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "derivation.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in (folder / "derivation.log").read_text(errors="replace")
    assert (folder / "derivation.pdf").stat().st_size > 10_000


@PDFLATEX
@pytest.mark.parametrize("net", [SHAPES[0], SHAPES[5], SHAPES[6], SHAPES[9], SHAPES[10]], ids=ids)
def test_latex_compiles(net, tmp_path):
    compiles(net.derivation(to="latex"), tmp_path)


@PDFLATEX
def test_latex_of_every_function_compiles(tmp_path):
    """Of one unit by each activation, and by each loss."""
    nets = [fastgd.MLP(1, 1, 1, activation=name, output="identity") for name in ACTIVATIONS if name != "softmax"]
    for name, loss in LOSSES.items():
        last = "tanh" if loss.output is None else loss.output.name
        nets.append(fastgd.MLP(1, 2 if loss.whole_layer or loss.of_pairs else 1, activation=last, loss=name))
    whole = nets[0].derivation(to="latex").partition(r"\begin{document}")[0]
    bodies = (net.derivation(to="latex").partition(r"\begin{document}")[2].partition(r"\end{document}")[0] for net in nets)
    compiles(whole + r"\begin{document}" + "\n".join(bodies) + r"\end{document}", tmp_path)


# -- sympy -----------------------------------------------------------------------------------------


def confirmed(text):
    """What the text says of itself after all steps are confirmed."""
    names = {"__name__": "derivation"}
    exec(text, names)
    return names


def nets_for_sympy():
    """Small ones of every activation and of every loss."""
    yield from (SHAPES[0], SHAPES[1], SHAPES[2], SHAPES[4], own_network())
    yield fastgd.MLP(1, 1, 2, activation="tanh", output="softmax")
    yield fastgd.MLP(1, 2, 2, activation="relu", output="softmax", loss="cross_entropy(0.1)")
    for name in ACTIVATIONS:
        if name != "softmax":
            yield fastgd.MLP(1, 1, 1, activation=name, output="identity")
    for name, loss in LOSSES.items():
        if not loss.whole_layer:
            outputs, activation = 1 + loss.of_pairs, "tanh" if loss.output is None else loss.output.name
            yield fastgd.MLP(1, outputs, activation=activation, loss=name)


def test_sympy_confirms_each_step():
    """All but those that define something."""
    pytest.importorskip("sympy")
    for net in nets_for_sympy():
        names = confirmed(net.derivation(to="sympy"))
        confirmed_lines = {*names["exact"], *names["numeric"]}
        said = {each.number for each in derived(net).equations if each.left is None}
        assert said <= confirmed_lines, net
        assert names["exact"], net


@pytest.mark.parametrize(
    ("step", "spoilt"),
    [
        ("delta2_0 * a1_1", "delta2_0 * a1_0"),  # the gradient of another weight
        ("fma(-a, a, a)", "fma(-a, a, 1)"),  # the derivative of another function
        ("2 * partial(C, w1_0_1)", "4 * partial(C, w1_0_1)"),  # what a layer's own cost is to the whole
        ("w2_0_1 * delta2_0", "w2_0_0 * delta2_0"),  # 004 with its indices transposed
        ("layerwise_da1_0 * 2 * ", "layerwise_da1_0 * "),  # 001 (1.7.3) without a factor
        ("partial(loss, a2_0) * partial(a2_0, b2_0)", "partial(loss, a2_0) * partial(a2_0, w2_0_0)"),  # the chain rule
    ],
)
def test_sympy_finds_a_step_that_is_spoilt(step, spoilt):
    pytest.importorskip("sympy")
    text = fastgd.MLP(2, 2, 1).derivation(to="sympy")
    assert step in text
    with pytest.raises(AssertionError, match=r"^\(\d+\): "):
        confirmed(text.replace(step, spoilt, 1))


def own_activation(name):
    """z and a function of numbers together."""
    of = getattr(numeric, name)
    written = {
        "fma": lambda z: of(z, 2, z),
        "where": lambda z: of((z < 1) & ~(z <= 0) | (z == 3), z, 2 * z),
        "maximum": lambda z: of(z, 0.5 * z),
        "minimum": lambda z: of(z, 0.5 * z),
        "log": lambda z: z + of(z * z + 1),
        "log1p": lambda z: z + of(z * z),
        "sqrt": lambda z: z + of(z * z + 1),
    }
    return fastgd.Activation(written.get(name, lambda z: z + of(z)), name=f"mine_{name}")


def test_every_function_of_numbers_is_known():
    for name in numeric.__all__:
        net = fastgd.MLP(1, 1, activation=own_activation(name))
        X, Y, params = random_problem(net, 6)
        module = module_of(net)
        np.testing.assert_allclose(module["gradient"](params, X, Y), central(module["cost"], params, X, Y), atol=1e-7, err_msg=name)
        if importlib.util.find_spec("sympy"):
            confirmed(net.derivation(to="sympy"))


# -- refused ---------------------------------------------------------------------------------------


def test_other_languages_are_refused():
    with pytest.raises(ValueError, match=f"to must be one of {LANGUAGES[0]}.*; got 'word'"):
        fastgd.MLP(2, 1).derivation(to="word")
    with pytest.raises(TypeError, match="to must be"):
        fastgd.MLP(2, 1).derivation(to=3)


@pytest.mark.parametrize("to", ["python", "c", "sympy"])
def test_large_networks_are_refused_as_code(to):
    net = fastgd.MLP(30, 30, 1)
    with pytest.raises(ValueError, match=rf"to {to} serves networks of at most {MOST_PARAMETERS} parameters; got MLP\(30, 30, 1.*has 961"):
        net.derivation(to=to)


# -- matrix form -----------------------------------------------------------------------------------

WIDE = [
    fastgd.MLP(30, 20, 3),
    fastgd.MLP(25, 20, 15, 4, activation=["tanh", "relu", "identity"], bias=False),
    fastgd.MLP(30, 20, 5, activation="tanh", output="softmax", loss="cross_entropy(0.1)"),
    fastgd.MLP(30, 20, 5, activation="tanh", output="softmax", loss="huber"),
    fastgd.MLP(300, 2, activation="sigmoid", loss="binary_cross_entropy"),
    fastgd.MLP(30, 20, 4, activation=["tanh", "identity"], loss="gaussian_nll"),
]


VECTORS = {  # as columns
    "product": lambda x, y: x @ y,
    "transposed": np.transpose,
    "each": np.multiply,
    "inner": lambda x, y: np.sum(x * y),
    "softmax": lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(),
    "units": np.sum,
    "stacked": lambda x, y: np.concatenate([x, y]),
    "mean": lambda x: x,  # of one sample
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "negative": np.negative,
    "log": np.log,
}


def computed_by(derivation, values):
    """Each left side of a derivation in matrix form, of one sample; `values` are those of names."""
    calls, found = calls_of(derivation.net), {variable(name): value for name, value in values.items()}

    def change(node, inner):
        if node in found:
            return found[node]
        if node.number is not None:
            return node.number
        if node.operation in calls:
            names, formula = calls[node.operation]
            return computed(formula, {name: np.asarray(each, float) for name, each in zip(names, inner, strict=True)})
        if node.operation in ("variable", "partial") or any(each is None for each in inner):
            return None  # which is not asked for
        return VECTORS[node.operation](*inner)

    last = len(derivation.net.layers)
    for section in derivation.sections[1:-1]:
        for each in section.equations:
            found[each.left] = each.right.changed(change)
            for name in ("a", "z"):
                if each.left is variable(f"{name}{last}"):
                    found[variable(f"{name}_k")] = found[each.left]
            if each.left is variable(f"a{last}"):
                for place, half in zip(("first", "second"), np.split(found[each.left], [derivation.net.n_targets]), strict=True):
                    found[variable(place)] = found[variable(f"{place}_k")] = half
            if each.left is variable("target"):
                found[variable("target_k")] = found[each.left]
    return found


@pytest.mark.parametrize("net", WIDE, ids=ids)
def test_matrix_form_is_the_gradient(net):
    """Its own equations, computed of one sample."""
    X, Y, params = random_problem(net, 1)
    values = {"a0": X.T, "y_each": Y.T, "y_k": Y.T}
    for l, (W, b) in enumerate(net.unpack(params), start=1):
        values |= {f"W{l}": W, f"b{l}": None if b is None else b[:, None]}
    found = computed_by(matrix_form(net), values)

    def flat(cost_of):
        kinds = "Wb" if net.bias else "W"
        layers = range(1, len(net.layers) + 1)
        return np.concatenate([np.ravel(found[partial(cost_of(l), variable(f"{kind}{l}"))]) for l in layers for kind in kinds])

    np.testing.assert_allclose(flat(lambda l: COST), net.gradient(params, X, Y), rtol=1e-10, atol=1e-12)
    assert found[COST] == pytest.approx(net.cost(params, X, Y), rel=1e-10)
    if net.loss == "squared_error":
        last = len(net.layers)
        expected = net.gradient(params, X, Y, method="layerwise")
        ours = flat(lambda l: COST if l == last else variable(f"C{l}"))
        np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-12)


@PDFLATEX
@pytest.mark.parametrize("net", [WIDE[1], WIDE[2], WIDE[5]], ids=ids)
def test_matrix_form_compiles(net, tmp_path):
    compiles(net.derivation(), tmp_path)


# -- c, and the command ----------------------------------------------------------------------------


def in_c(net, folder, compiler, X, Y, params):
    """What each function of the text in C returns."""
    text = net.derivation(to="c")
    (folder / "network.c").write_text(text, encoding="utf-8")
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", folder / "network.so", folder / "network.c", "-lm"], check=True)
    library = ctypes.CDLL(str(folder / "network.so"))
    library.cost.restype = ctypes.c_double
    arrays = [np.ascontiguousarray(each, float) for each in (params, X, Y)]
    taken = [*(ctypes.c_void_p(each.ctypes.data) for each in arrays), ctypes.c_size_t(len(X))]
    found = {"cost": library.cost(*taken)}
    for name in ("gradient", "layerwise_gradient"):
        if f"void {name}(" in text:
            result = np.full(len(params), -7.0)
            getattr(library, name)(*taken, ctypes.c_void_p(result.ctypes.data))
            found[name] = result
    return found


def nets_in_c():
    """Each activation and each loss once, and each shape."""
    yield from (*SHAPES, own_network())
    yield from (fastgd.MLP(2, 3, 2, activation=name) for name in ACTIVATIONS if name != "softmax")
    for name, loss in LOSSES.items():
        output = "tanh" if loss.output is None else loss.output.name
        yield fastgd.MLP(2, 3, 2, activation="tanh", output=output, loss=name)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_c_is_the_gradient(compiler, tmp_path):
    """To 1e-12, without a warning."""
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    for i, net in enumerate(nets_in_c() if compiler == "gcc" else SHAPES):
        X, Y, params = problem_of(net)
        folder = tmp_path / str(i)
        folder.mkdir()
        found = in_c(net, folder, compiler, X, Y, params)
        assert found["cost"] == pytest.approx(net.cost(params, X, Y), rel=1e-12)
        np.testing.assert_allclose(found["gradient"], net.gradient(params, X, Y), rtol=1e-12, atol=1e-12, err_msg=str(net))
        assert ("layerwise_gradient" in found) == (net.loss == "squared_error")
        if net.loss == "squared_error":
            expected = net.gradient(params, X, Y, method="layerwise")
            np.testing.assert_allclose(found["layerwise_gradient"], expected, rtol=1e-12, atol=1e-12)


def test_command_writes_what_the_network_does(command, tmp_path):
    net = fastgd.MLP(3, 2, activation="softmax", loss="cross_entropy")
    for end, to in ((".tex", "latex"), (".md", "markdown"), (".py", "python"), (".c", "c")):
        path = tmp_path / f"derivation{end}"
        assert command("derive", "--layers", "3-2", "--output", "softmax", "--out", path) == ""
        assert path.read_text(encoding="utf-8") == net.derivation(to=to)
    assert command("derive", "--layers", "2-1") == fastgd.MLP(2, 1).derivation()
    assert command("derive", "--layers", "2-1", "--no-bias", "--to", "c") == fastgd.MLP(2, 1, bias=False).derivation(to="c")


def test_command_refuses(refused, tmp_path):
    assert "at most 500 parameters" in refused("derive", "--layers", "40-40-1", "--to", "c")
    assert "invalid choice: 'word'" in refused("derive", "--layers", "2-1", "--to", "word")
    assert "nowhere" in refused("derive", "--layers", "2-1", "--out", tmp_path / "nowhere" / "a.tex")
