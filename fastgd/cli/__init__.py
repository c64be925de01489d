"""The `fastgd` command: one file a subcommand, which parses its flags, calls the library and
prints.
"""

from fastgd.cli.main import main

__all__ = ["main"]
