"""Where in the user's program an op was called, and by which names its author knows the values."""

from __future__ import annotations

import ast
import linecache
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep

Span = tuple[int, int, int, int]
"""First line, first column, last line, last column: lines from 1, columns from 0 in bytes of UTF-8."""


class Place(NamedTuple):
    """An expression of the source: a call that is on the way to an op, or the op itself."""

    file: str
    line: int
    end: int
    """The last line."""
    column: int
    stop: int
    """The column after the last character, on the last line."""

    @property
    def text(self) -> str:
        """The expression as it is written; "" if the file cannot be read."""
        lines = [linecache.getline(self.file, n) for n in range(self.line, self.end + 1)]
        if not all(lines):
            return ""
        lines[-1] = lines[-1].encode()[: self.stop].decode(errors="replace")
        lines[0] = lines[0].encode()[self.column :].decode(errors="replace")
        return " ".join(line.strip() for line in lines)


def frames(first: Any, last: Any = None) -> Iterator[Any]:
    """The frames of the user's code from this one outwards, up to `last` and with it."""
    frame = first
    while frame is not None:
        if not frame.f_code.co_filename.startswith((PACKAGE, "<frozen ")):
            yield frame
        if frame is last:
            return
        frame = frame.f_back


def place_of(frame: Any) -> Place:
    """The expression that a frame is evaluating."""
    return _place(frame.f_code, frame.f_lasti)


@lru_cache(4096)
def _place(code: CodeType, instruction: int) -> Place:
    spans = list(code.co_positions())
    line, end, column, stop = spans[instruction // 2] if spans else (None, None, None, None)
    line = line or code.co_firstlineno
    return Place(code.co_filename, line, end or line, column or 0, stop or 0)


def assigned(place: Place) -> str | None:
    """The name that the value of this expression is given where it is written: ``y`` of ``y = a * b``."""
    return _targets(place.file, len(linecache.getlines(place.file))).get(place[1:])


def bound(place: Place, name: str) -> int | None:
    """The last line above a place in whose file this name is assigned; None if it is a parameter, say."""
    found = _targets(place.file, len(linecache.getlines(place.file)))
    return max((span[0] for span, known in found.items() if known == name and span[0] < place.line), default=None)


@lru_cache(64)
def _targets(file: str, lines: int) -> dict[Any, str]:
    """For each assigned expression of a file the name on the left; `lines` is there to notice that a file has grown."""
    found = {}
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return {}
    value: ast.expr | ast.stmt
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                pass
            case ast.AugAssign(target=ast.Name(id=name)):
                value = node  # `x += y` is evaluated as a whole
            case _:
                continue
        found[value.lineno, value.end_lineno, value.col_offset, value.end_col_offset] = name
    return found


def name_in(frame: Any, value: Any) -> str | None:
    """A name that this very object has in a frame: a local one, else a global one of its file."""
    for scope in (frame.f_locals, frame.f_globals):
        for name, held in list(scope.items()):
            if held is value and not name.startswith("_"):
                return str(name)
    return None


def caller() -> Any:
    """The innermost frame of the user's code."""
    return next(frames(sys._getframe(1)), None)
