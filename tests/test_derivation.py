"""`net.derivation` as a document: each line numbered and cited, set by LaTeX, written by the command; what is refused."""

import re
import subprocess
import sys

import pytest
from derived_networks import PDFLATEX, SHAPES, compiles, ids, own_network

import fastgd
from fastgd.activations import ACTIVATIONS
from fastgd.derivation.derived import derived
from fastgd.derivation.languages import LANGUAGES, MOST_PARAMETERS
from fastgd.derivation.notes import CITED
from fastgd.losses import LOSSES


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


# -- the command -----------------------------------------------------------------------------------


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
