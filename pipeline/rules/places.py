"""Where every key and value of a TOML document stands: the standard library tells only the values.

It walks over a document that tomllib has already accepted, by the same grammar, so it refuses nothing.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import Final, NamedTuple

Path = tuple[str | int, ...]  # ("rules", 0, "map", "name")

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_DOT: Final = re.compile(r"[ \t]*\.[ \t]*")
_KEY: Final = re.compile(r""" "(?:\\.|[^"\\])*" | '[^']*' | [A-Za-z0-9_-]+ """, re.VERBOSE)
_SCALAR: Final = re.compile(
    r'''
      """(?: \\. | (?!""")[^\\] )*"{3,5}    # the closing quotes may have two of the text's own before them
    | \'\'\'(?: (?!\'\'\'). )*\'{3,5}
    | "(?: \\. | [^"\\] )*"
    | '[^']*'
    | \d{4}-\d\d-\d\d\ \d\d:[^\s,\]}#]+     # a date and time with a blank between them
    | [^\s,\]}#]+
    ''',
    re.VERBOSE | re.DOTALL,
)


class Standing(NamedTuple):
    """A key and its value: the key's line and column, the value's, and the value as it is written."""

    line: int
    column: int
    value_line: int
    value_column: int
    raw: str


def places(text: str) -> dict[Path, Standing]:
    """Where each table, key and array element of `text` stands. Line ends must be plain newlines."""
    return _Walk(text).run()


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._found: dict[Path, Standing] = {}
        self._elements: dict[Path, int] = {}  # arrays of tables: how many elements they have so far

    def run(self) -> dict[Path, Standing]:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._found

    def _header(self) -> Path:
        start = self._at
        is_element = self._text.startswith("[[", start)
        self._at += 2 if is_element else 1
        table: Path = ()
        keys = self._dotted_key()
        for key, _ in keys[:-1] if is_element else keys:
            table = self._newest((*table, key))
            self._note(table, start, start, start)
        self._skip(_BLANK)
        self._at += 2 if is_element else 1
        if is_element:
            array = (*table, keys[-1][0])
            self._note(array, start, start, start)
            self._elements[array] = self._elements.get(array, 0) + 1
            table = self._newest(array)
        self._found.pop(table, None)  # a table made on the way to its own parts stands at its own header
        self._note(table, start, start, start)
        return table

    def _newest(self, path: Path) -> Path:
        count = self._elements.get(path)
        return path if count is None else (*path, count - 1)

    def _pair(self, table: Path) -> None:
        path = table
        keys = self._dotted_key()
        self._skip(_BLANK)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        for key, start in keys[:-1]:
            path = (*path, key)
            self._note(path, start, start, start)
        key, start = keys[-1]
        self._value((*path, key), start)

    def _value(self, path: Path, key_start: int) -> None:
        start = self._at
        opening = self._text[start]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(_SCALAR)
        self._note(path, key_start, start, self._at)

    def _array(self, path: Path) -> None:
        index = 0
        while not self._closes("]"):
            self._value((*path, index), self._at)
            index += 1

    def _inline_table(self, path: Path) -> None:
        while not self._closes("}"):
            self._pair(path)

    def _closes(self, bracket: str) -> bool:
        """Step over the opening bracket or a comma; then whether the bracket closes, and over it if so."""
        self._skip(_BLANK)
        if self._text[self._at] in "[{,":
            self._at += 1
            self._skip(_BLANK)
        if self._text[self._at] != bracket:
            return False
        self._at += 1
        return True

    def _dotted_key(self) -> list[tuple[str, int]]:
        keys = []
        self._skip(_BLANK)
        while True:
            start = self._at
            keys.append((_key_of(self._skip(_KEY)), start))
            if not self._skip(_DOT):
                return keys

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match.group()

    def _note(self, path: Path, key: int, value: int, end: int) -> None:
        standing = Standing(*self._place(key), *self._place(value), self._text[value:end])
        self._found.setdefault(path, standing)

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1


def _key_of(written: str) -> str:
    if written[:1] not in {'"', "'"}:
        return written
    return str(tomllib.loads(f"key = {written}")["key"])
