"""Names of generated code for numbers, some of which are on the lanes of vectors.

A name with one place, `a1_3`, is of a number, one with two, `a1_0_to_7`, of a vector of neighbours.
Each is taken from the other where a line first reads it.
"""

import re
from collections.abc import Sequence

import numpy as np

from fastgd.kernels.generated.lines import Line, let
from fastgd.state import VECTOR_BYTES, WIDE_VECTOR_BYTES

_NAME = re.compile(r"\b[a-z]+\d*_\d+(?:_\d+)?\b")  # of a number
_SPANS = "in_wide_vectors({0})", "{0}", "in_half_vectors({0})"


class NamesInLanes:
    """Lines, and what they bind. `unread` says what numbers are that no line has read so far;
    `lanes` how many there are of a wide vector, a whole one and half of one.
    """

    def __init__(self, dtype: np.dtype[np.floating]):
        sizes = (WIDE_VECTOR_BYTES, VECTOR_BYTES, VECTOR_BYTES // 2)
        self.lanes, self._dtype = [size // dtype.itemsize for size in sizes], dtype.name
        self.lines: list[Line] = []
        self.unread: dict[str, str] = {}
        self._vectors: dict[str, list[range]] = {}  # that are bound, by the name of their numbers

    def spans(self, name: str, array: str) -> None:
        """An array, read and written by vectors: of 8 lanes by the name and an 8."""
        span = f"span_of_dtype({array}, np.{self._dtype})"
        for lanes, form in zip(self.lanes, _SPANS, strict=True):
            self.add(let(f"{name}{lanes}", form.format(span)))

    def add(self, *lines: Line) -> None:
        """Lines, each behind those of the numbers that it is the first to read."""
        for line in lines:
            for name in _NAME.findall(line):
                if name in self.unread:
                    self.add(let(name, self.unread.pop(name)))
            self.lines.append(line)

    def parts(self, count: int) -> list[range]:
        """Places of so many numbers: of vectors, as wide as they fill, then each by itself."""
        parts, start = [], 0
        for lanes in [*self.lanes, 1]:
            while count - start >= lanes:
                parts.append(range(start, start + lanes))
                start += lanes
        return parts

    def bind(self, name: str, part: range, value: str, lanes: int = 0) -> None:
        """Numbers of this name at these places: one, a vector, or the first of so many lanes."""
        lanes = lanes or len(part)
        others = self._vectors.get(name, [])
        self._vectors[name] = [each for each in others if not {*each} & {*part}]
        if lanes == 1:
            self.add(let(f"{name}_{part[0]}", value))
            return
        vector = _vector_name(name, range(part[0], part[0] + lanes))
        self.add(let(vector, value))
        self._vectors[name] += [part] if lanes == len(part) else []
        self.unread |= {f"{name}_{j}": f"lane({vector}, {i})" for i, j in enumerate(part)}

    def of(self, name: str, part: range) -> str:
        """The numbers of this name at these places."""
        if len(part) == 1:
            return f"{name}_{part[0]}"
        vector = _vector_name(name, part)
        if part not in self._vectors.setdefault(name, []):
            self.add(let(vector, gathered([f"{name}_{j}" for j in part])))
            self._vectors[name].append(part)
        return vector

    def held(self, name: str) -> list[range]:
        """Places of numbers of this name that are vectors already."""
        return list(self._vectors.get(name, []))


def _vector_name(name: str, part: range) -> str:
    return f"{name}_{part[0]}_to_{part[-1]}"


def gathered(numbers: Sequence[str], lanes: int = 0) -> str:
    """A vector of numbers, 0 behind them if it has more lanes."""
    return f"gathered(w{lanes or len(numbers)}, ({', '.join(numbers)},))"
