"""Tables as texts of CSV."""

from fastgd.data.columns import parse_columns


def columns(text):
    """What is read of a text, or of bytes, as of a file rows.csv."""
    return parse_columns(text.encode() if isinstance(text, str) else text, "rows.csv")
