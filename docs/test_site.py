"""The site as it is built: without a warning, and without anything that it would ask of others."""

import inspect
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from fastgd.cli.main import _parser

DOCS = Path(__file__).parent
sys.path.append(str(DOCS))

from machinery.lookup import explained, subparsers  # noqa: E402
from machinery.public import public_names  # noqa: E402


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the site, built anew; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "--keep-going", "-d", folder / "doctrees", DOCS, folder / "html"],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "html"


class Asked(HTMLParser):
    """What a page has a browser load by itself."""

    def __init__(self):
        super().__init__()
        self.loaded = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag != "a":
            self.loaded += [attributes[name] for name in ("src", "href", "srcset", "data", "poster") if attributes.get(name)]
        self.loaded += re.findall(r"url\(([^)]*)\)", attributes.get("style") or "")


def test_pages_load_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) >= 5
    for page in pages:
        asked = Asked()
        asked.feed(page.read_text(encoding="utf-8"))
        assert len(asked.loaded) >= 5
        for address in asked.loaded:
            assert not re.match(r"(\w+:)?//", address), (page, address)
            if not address.startswith(("#", "data:")):
                assert (page.parent / re.sub(r"[?#].*", "", address)).exists(), (page, address)


def test_style_sheets_and_scripts_load_nothing_from_elsewhere(site):
    sheets = list(site.rglob("*.css"))
    assert site / "_static" / "site.css" in sheets
    for sheet in sheets:
        for address in re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s]*)", sheet.read_text(encoding="utf-8")):
            assert not re.match(r"(\w+:)?//", address), (sheet, address)
            if not address.startswith(("#", "data:")):
                assert (sheet.parent / address.partition("?")[0]).exists(), (sheet, address)
    for script in site.rglob("*.js"):
        assert not re.search(r"(fetch|importScripts|import)\(\s*[\"'`](\w+:)?//", script.read_text(encoding="utf-8")), script


def test_search_works_without_a_server(site):
    """The index is a script, which a browser loads from a folder too, and knows words of pages."""
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert index.startswith("Search.setIndex(")
    assert '"gradient"' in index


def test_equations_are_drawn_by_the_browser(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "$$" not in re.sub(r"<(script|style|pre).*?</\1>", "", text, flags=re.DOTALL), page


def test_every_public_name_is_there(site):
    """With its docstring, at an address of its own."""
    text = "".join(page.read_text(encoding="utf-8") for page in (site / "lookup").glob("*.html"))
    names = [name for name, one in public_names().items() if not inspect.ismodule(one)]
    assert [name for name in names if f'id="{name}"' not in text] == []


def test_the_command_is_what_its_help_says(site):
    """Every flag of every subcommand, with its help."""
    page = (site / "lookup" / "command.html").read_text(encoding="utf-8")
    words = " ".join(unescape(re.sub(r"<[^>]*>", "", page)).split())
    for name, parser in subparsers(_parser()).items():
        assert f"fastgd {name}" in words
        told = " ".join(parser.format_help().split())
        for action in parser._actions[1:]:
            assert all(f"{flag}" in words for flag in action.option_strings)
            text = " ".join(explained(parser, action).split())
            assert text in words
            assert text in told or "-" in text  # which is broken at hyphens there


def test_forms_of_issues():
    """GitHub takes them: each field has a kind, a name of its own and a label."""
    forms = sorted((DOCS.parent / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) >= 3
    for form in forms:
        told = yaml.safe_load(form.read_text(encoding="utf-8"))
        if form.name != "config.yml":
            assert all(isinstance(told[name], str) for name in ("name", "description"))
            assert len({field["id"] for field in told["body"]}) == len(told["body"]) > 0
            assert all(field["type"] == "textarea" and field["attributes"]["label"] for field in told["body"])


def test_citation():
    told = yaml.safe_load((DOCS.parent / "CITATION.cff").read_text(encoding="utf-8"))
    assert told["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "version", "license"} <= told.keys()
