"""Runs pages: `python docs/machinery/pages.py [--write] PAGE.md ...`

The blocks of a page are run in order, in one namespace and a folder of its own, and what they print is compared with what the
page shows; --write puts what was printed into the page. docs/README.md says how a page is written.
"""

import argparse
import ast
import contextlib
import importlib.util
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tokenize
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path += [str(ROOT / "docs"), str(ROOT)]  # the latter for who has not installed the package

from machinery.blocks import Block, PageError, blocks  # noqa: E402
from machinery.shown import agrees, plain  # noqa: E402

ELSEWHERE = ("pip install", "pytest", "python -m venv")  # lines that other steps of .ci/run are there for


def pages() -> list[Path]:
    """The README, and all pages of docs/ but those that are built."""
    found = (path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts and path.name != "README.md")
    return [ROOT / "README.md", *sorted(found)]


class Page:
    """A page while it is run."""

    def __init__(self, path: Path, pictures: Path | None = None) -> None:
        self.path, self.pictures = path.resolve(), pictures
        self.text = self.path.read_text(encoding="utf-8")
        try:
            self.blocks = blocks(self.text)
        except PageError as error:
            raise PageError(f"{path.name}:{error}") from None
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.drawn: list[Path] = []  # a file for each picture of the page
        self.printed: dict[int, str] = {}  # by the first line of the output that the page shows

    def run(self) -> list[str]:
        """All blocks; returns what is wrong, a line each, an empty list if nothing is."""
        wrong = []
        with _folder(), warnings.catch_warnings():
            warnings.simplefilter("error")
            for block in self.blocks:
                try:
                    wrong += [f"{self.path.name}:{line}: {what}" for line, what in self._run(block)]
                except Exception as error:
                    wrong.append(f"{self.path.name}:{_line_of(error, self.path, block.line)}: {type(error).__name__}: {error}")
                    break
            wrong += _left_open(self.path.name)
        return wrong

    def _run(self, block: Block) -> Iterator[tuple[int, str]]:
        if "file" in block.marks:
            path = Path(block.marks["file"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text + "\n", encoding="utf-8")
        if not block.is_run or missing(block):
            return
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if block.language == "python":
                yield from self._python(block)
            else:
                _shell(block.text, printed)
        if block.output is not None:
            self.printed[block.output.line] = printed.getvalue()
            if not agrees(block.output.text, printed.getvalue()):
                yield block.output.line, f"the page shows\n{block.output.text}\nand what is printed is\n{printed.getvalue()}"
        if block.pictures:
            yield from self._draw(block)

    def _python(self, block: Block) -> Iterator[tuple[int, str]]:
        """Statement by statement; an expression with a comment that is a literal is compared with it."""
        tree = ast.increment_lineno(ast.parse(block.text), block.line - 1)
        comments = {
            token.start[0] + block.line - 1: token.string.removeprefix("#").strip()
            for token in tokenize.generate_tokens(io.StringIO(block.text).readline)
            if token.type == tokenize.COMMENT
        }
        for statement in tree.body:
            if isinstance(statement, ast.Expr):
                value = eval(compile(ast.Expression(statement.value), self.path, "eval"), self.names)
                comment = comments.get(statement.end_lineno or 0, "")
                if _is_literal(comment) and not agrees(comment, repr(plain(value))):
                    yield statement.lineno, f"the page shows {comment}, and the value is {plain(value)!r}"
            else:
                exec(compile(ast.Module([statement], []), self.path, "exec"), self.names)

    def _draw(self, block: Block) -> Iterator[tuple[int, str]]:
        from matplotlib import pyplot

        figures = list(map(pyplot.figure, pyplot.get_fignums()))
        if len(figures) != len(block.pictures):
            yield block.line, f"{len(block.pictures)} pictures are described, and {len(figures)} drawn"
        for figure in figures:
            if self.pictures is not None:
                self.pictures.mkdir(parents=True, exist_ok=True)
                parts = self.path.relative_to(ROOT).with_suffix("").parts
                kind = "painted" if _is_painted(figure) else "drawn"
                name = self.pictures / f"{'-'.join(parts)}-{len(self.drawn) + 1}-{kind}.svg"
                figure.savefig(name, metadata={"Date": None}, bbox_inches="tight", transparent=True)
                self.drawn.append(name)
        pyplot.close("all")

    def written(self) -> str:
        """The text with what was printed in the place of what it showed, where these differ."""
        lines = self.text.splitlines()
        for output in reversed([block.output for block in self.blocks if block.output is not None]):
            printed = self.printed.get(output.line)
            if printed is not None and not agrees(output.text, printed):
                end = output.line - 1 + len(output.text.splitlines())
                lines[output.line - 1 : end] = [line.rstrip() for line in printed.rstrip().splitlines()]
        return "\n".join(lines) + "\n"


def missing(block: Block) -> list[str]:
    """Modules and programs that a block needs and that are not here."""
    needed = re.split(r",\s*", block.marks.get("needs", ""))
    return [name for name in needed if name and importlib.util.find_spec(name) is None and shutil.which(name) is None]


def _shell(text: str, printed: io.StringIO) -> None:
    """Command by command: the command of this package in this process, others by a shell."""
    import fastgd
    from fastgd.cli import main

    place = str(Path(fastgd.__file__).parent.parent)
    functions = f'fastgd() {{ "{sys.executable}" -m fastgd "$@"; }}; python() {{ "{sys.executable}" "$@"; }}; '
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words or line.startswith(ELSEWHERE):
            continue
        if words[0] == "fastgd" and not re.search(r"[|<>&;$*]", re.sub(r"'[^']*'|#.*", "", line)):
            with contextlib.redirect_stderr(printed):
                status = main(words[1:])
        else:
            path = os.pathsep.join(filter(None, [place, os.environ.get("PYTHONPATH")]))
            done = subprocess.run(
                ["bash", "-c", functions + line], env={**os.environ, "PYTHONPATH": path}, text=True, capture_output=True, timeout=300
            )
            print(done.stdout + done.stderr, end="")
            status = done.returncode
        if status not in (0, 2):  # 2: refused, and said why
            raise RuntimeError(f"{line.strip()} ended with status {status}: {printed.getvalue()}")


@contextlib.contextmanager
def _folder() -> Iterator[None]:
    """Another folder while a page runs, which is empty, and a Matplotlib that shows nothing."""
    before, backend = os.getcwd(), os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "Agg"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
            os.environ.pop("MPLBACKEND")
            if backend is not None:
                os.environ["MPLBACKEND"] = backend


def _is_painted(figure: Any) -> bool:
    """Whether areas of it have colours by a scale, which must stay as they are on a dark page."""
    from matplotlib.cm import ScalarMappable

    return any(isinstance(each, ScalarMappable) and each.get_array() is not None for each in figure.findobj())


def _left_open(name: str) -> list[str]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or not pyplot.get_fignums():
        return []
    pyplot.close("all")
    return [f"{name}: figures that no <!-- picture: ... --> takes"]


def _is_literal(comment: str) -> bool:
    try:
        ast.literal_eval(comment)
    except (ValueError, SyntaxError, MemoryError):
        return False
    return bool(comment)


def _line_of(error: Exception, path: Path, first: int) -> int:
    """The last line of the page that an error came through, or the first of its block."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    return lines[-1] or first if lines else first


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE.md", help="all, if none is named")
    parser.add_argument("--write", action="store_true", help="put what was printed into the pages")
    options = parser.parse_args()
    wrong = []
    for path in options.pages or pages():
        page = Page(path)
        found = page.run()
        if options.write:
            path.write_text(page.written(), encoding="utf-8")
        wrong += found
    print("\n".join(wrong), end="\n" if wrong else "")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
