"""Where something stands in a rules file, and what is wrong with it there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


class Filled(msgspec.Struct, frozen=True):
    """A placeholder that was filled: where its filling begins in the value, and how long both are."""

    at: int
    length: int
    written: int


class Text(msgspec.Struct, frozen=True):
    """A string of the file: its value, where its quotes begin, and how it is written there.

    Where placeholders were filled, `template` is the string as the file has it.
    """

    value: str
    place: Place
    raw: str = ""
    template: str = ""
    filled: tuple[Filled, ...] = ()

    def at(self, line: int, column: int) -> Place:
        """The place in the file of a line and column of the value, both from 1."""
        if self.filled:
            line, column = self._in_template(line, column)
        offsets = [offset for offset, here in _characters(self.raw) if here <= (line, column)]
        offset = offsets[-1] if offsets else 0
        before = self.raw[:offset]
        lines = before.count("\n")
        start = 1 if lines else self.place.column
        return Place(self.place.file, self.place.line + lines, start + offset - (before.rfind("\n") + 1))

    def _in_template(self, line: int, column: int) -> tuple[int, int]:
        """The line and column of the template; what lies in a filling stands at its placeholder."""
        starts = [0, *(match.end() for match in re.finditer("\n", self.value))]
        offset = starts[min(line, len(starts)) - 1] + column - 1
        shift = 0
        for filled in self.filled:
            if offset < filled.at + filled.length:
                offset = min(offset, filled.at)
                break
            shift += filled.written - filled.length
        before = self.template[: offset + shift]
        return before.count("\n") + 1, len(before) - before.rfind("\n")


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


def merged(faults: Iterable[Fault]) -> list[Fault]:
    """The faults, each once: what several instances of one rule share is said of the first."""
    found: dict[tuple[Place, str, str | None], list[Fault]] = {}
    for fault in faults:
        found.setdefault((fault.place, fault.message, fault.suggestion), []).append(fault)
    return [_of_all(same) for same in found.values()]


def _of_all(same: list[Fault]) -> Fault:
    rules = {fault.rule for fault in same}
    if len(rules) == 1:
        return same[0]
    return msgspec.structs.replace(same[0], rule=f"{same[0].rule} and {len(rules) - 1} more")


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
