"""That the README says what was measured."""

import results
from report import README, replaced, section


def test_readme_is_written_by_report():
    text = README.read_text(encoding="utf-8")
    assert text == replaced(text, section(results.saved()))
