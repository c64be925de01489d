"""That the docs and the README say what was measured."""

import pytest
import results
from report import PAGES, ROOT, replaced


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_written_by_report(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text == replaced(text, PAGES[name](results.saved()))
