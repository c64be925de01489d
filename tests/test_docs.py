"""Pages of the docs are what they say: every block is run, and what it prints is compared."""

import importlib.util
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import fastgd

sys.path.append(str(Path(__file__).parent.parent / "docs"))

from machinery.blocks import PageError, blocks
from machinery.pages import ROOT, Page, missing, pages
from machinery.shown import agrees

NOT_RUN = 6  # blocks of all pages, at most


def named(path):
    return str(path.relative_to(ROOT))


def test_modules_of_the_docs_and_of_the_tests_are_told_apart():
    """Imports look into both folders."""
    assert not {path.stem for path in (ROOT / "docs").iterdir()} & {path.stem for path in Path(__file__).parent.glob("*.py")}


@pytest.mark.parametrize("path", pages(), ids=named)
def test_page(path):
    page = Page(path)
    if any(block.pictures for block in page.blocks) and importlib.util.find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed")
    assert page.run() == []


@pytest.mark.parametrize("path", [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "docs" / "README.md", *pages()], ids=named)
def test_links(path):
    """Those within the repository lead to files; others are whole addresses."""
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for address in re.findall(r"\]\(([^)\s]+)\)", text):
        parts = urlsplit(address)
        if parts.scheme:
            assert (parts.scheme, bool(re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc))) == ("https", True), address
        elif parts.path:
            assert (path.parent / parts.path).exists(), address


def test_readme_is_short():
    assert len(Page(ROOT / "README.md").text.splitlines()) <= 120


@pytest.mark.parametrize("path", pages(), ids=named)
def test_extras_are_declared(path):
    """What a page has one install is an extra of the package."""
    extras = re.search(r"^\[project.optional-dependencies\]\n(.*?)^\[", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE)[1]
    for names in re.findall(r"pip install '(?:fastgd|\.)\[([\w,]+)\]'", Page(path).text):
        assert all(re.search(rf"^{name} = \[", extras, re.MULTILINE) for name in names.split(","))


def test_citation_has_the_version():
    assert f"\nversion: {fastgd.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_few_blocks_are_not_run():
    marks = [(named(path), block.line, block.marks.get("not run")) for path in pages() for block in Page(path).blocks]
    not_run = [mark for mark in marks if mark[-1]]
    assert len(not_run) <= NOT_RUN, not_run


# -- the runner itself


@pytest.fixture
def run(tmp_path):
    """What is wrong with a page of this text."""

    def run(text):
        (tmp_path / "page.md").write_text(text)
        return Page(tmp_path / "page.md").run()

    return run


def fenced(language, text):
    return f"```{language}\n{text}\n```\n"


def test_what_is_printed_is_compared(run):
    assert run(fenced("python", "print(1 / 3)") + fenced("text", "0.333")) == []
    (wrong,) = run("Some words.\n\n" + fenced("python", "print(1 / 3)") + fenced("text", "0.335"))
    assert wrong.startswith("page.md:7: the page shows\n0.335\n")


def test_comments_that_are_literals_are_compared(run):
    assert run(fenced("python", "x = 2.0 / 3\nx  # 0.667\n(x, [1])  # (0.67, [1])\nx  # near that")) == []
    (wrong,) = run(fenced("python", "x = 2.0 / 3\nx  # 0.65"))
    assert wrong == "page.md:3: the page shows 0.65, and the value is 0.6666666666666666"


def test_errors_and_warnings_name_the_line(run):
    assert run(fenced("python", "x = 1\ny = x / 0")) == ["page.md:3: ZeroDivisionError: division by zero"]
    (wrong,) = run(fenced("python", "import warnings\n\nwarnings.warn('mind')"))
    assert wrong == "page.md:4: UserWarning: mind"


def test_commands(run):
    file = "<!-- file: in.txt -->\n" + fenced("text", "five")
    assert run(file + fenced("sh", "tr f F < in.txt > out.txt\ncat out.txt") + fenced("text", "Five")) == []
    assert run(fenced("sh", "fastgd check --layers 2-1") + fenced("text", "...\n1 ... backprop")) == []
    assert run(fenced("sh", "fastgd check --layers 2-x") + fenced("text", "fastgd: error: ...2-x...")) == []
    (wrong,) = run(fenced("sh", "exit 3"))
    assert "status 3" in wrong


def test_needs_and_not_run(run):
    assert run("<!-- needs: no_such_thing -->\n" + fenced("python", "1 / 0")) == []
    assert run("<!-- not run: an hour -->\n" + fenced("python", "1 / 0")) == []
    (block,) = blocks("<!-- needs: no_such_thing, sys -->\n" + fenced("python", ""))
    assert missing(block) == ["no_such_thing"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (fenced("text", "alone"), "1: a text block is what"),
        (fenced("", "no language"), "this is ''"),
        (fenced("yaml", "a: b"), "this is 'yaml'"),
        ("```python\n1", "does not end"),
        ("<!-- picture: nothing -->", "a picture is drawn by"),
    ],
)
def test_pages_that_are_refused(text, words):
    with pytest.raises(PageError, match=re.escape(words)):
        blocks(text)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("cost 2.4e-05", "cost 2.38e-05", True),
        ("cost 2.4e-05", "cost 2.56e-05", False),
        ("1,000 rows", "1,001 rows", False),
        ("a  b", "a b\n", True),
        ("first\n...\nlast", "first\nmany\nmore\nlast", True),
        ("first\n...\nlast", "first\nmany\nmore", False),
        ("first\n...", "first\nmany\nmore", True),
        ("...\nmany\n  ...\nlast", "first\nmany\nmore\nand more\nlast", True),
        ("in ... s", "in 0.123 s", True),
        ("in ... s\nthen", "in 0.123 s\nand so on s\nthen", False),
        ("[0.5 -1.]", "[ 0.5  -1. ]", False),
        ("one", "one two", False),
        ("a b", "ab", False),
        ("True", "true", False),
    ],
)
def test_agreement(shown, printed, same):
    assert agrees(shown, printed) is same
