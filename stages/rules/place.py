"""Where something stands in a rules file, and what is wrong with it there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

#: One character of a quoted TOML string as it is written; a line continuation stands for no character.
_BASIC_PIECE: Final = re.compile(
    r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|[ \t]*\n\s*|.)|.", re.DOTALL
)
_LITERAL_PIECE: Final = re.compile(r".", re.DOTALL)
_CONTINUATION: Final = re.compile(r"\\[ \t]*\n\s*")
_NEWLINES: Final = frozenset({"\n", "\\n", "\\u000a", "\\u000A", "\\U0000000a", "\\U0000000A"})


class Place(msgspec.Struct, frozen=True, order=True):
    """A place in a file: line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Text(msgspec.Struct, frozen=True):
    """A string of the file: its value, where its quotes begin, and how it is written there."""

    value: str
    place: Place
    raw: str = ""

    def at(self, line: int, column: int) -> Place:
        """The place in the file of a line and column of the value, both from 1."""
        offsets = [offset for offset, here in _characters(self.raw) if here <= (line, column)]
        offset = offsets[-1] if offsets else 0
        before = self.raw[:offset]
        lines = before.count("\n")
        start = 1 if lines else self.place.column
        return Place(self.place.file, self.place.line + lines, start + offset - (before.rfind("\n") + 1))


class Fault(msgspec.Struct, frozen=True):
    """Something wrong in a rules file: where, in which rule, what, and what to do about it."""

    place: Place
    message: str
    rule: str | None = None
    suggestion: str | None = None

    def __str__(self) -> str:
        rule = f"rule {self.rule}: " if self.rule else ""
        advice = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.place}: {rule}{self.message}{advice}"


def _characters(raw: str) -> Iterator[tuple[int, tuple[int, int]]]:
    """Every character of a quoted string: its offset in `raw`, and its line and column in the value."""
    quotes = raw[:3] if raw[:3] in {'"""', "'''"} else raw[:1]
    start, end = len(quotes), len(raw) - len(quotes)
    if len(quotes) == 3 and raw[start : start + 1] == "\n":  # not part of the value
        start += 1
    piece_of = _BASIC_PIECE if quotes[:1] == '"' else _LITERAL_PIECE
    line, column = 1, 1
    for piece in piece_of.finditer(raw, start, max(start, end)):
        written = piece.group()
        if _CONTINUATION.fullmatch(written) and quotes == '"""':
            continue
        yield piece.start(), (line, column)
        line, column = (line + 1, 1) if written in _NEWLINES else (line, column + 1)
    yield max(start, end), (line, column)
