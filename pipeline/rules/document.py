"""A TOML document as a tree in which everything knows its place."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

import msgspec

from pipeline.rules.places import Path, Standing, places
from stages.rules.place import Fault, Place, Text

_AT_LINE: Final = re.compile(r"\s*\(at line (\d+), column (\d+)\)$")
_AT_END: Final = re.compile(r"\s*\(at end of document\)$")

#: What people call the kinds of TOML values.
KINDS: Final = {
    Text: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a table",
    list: "an array",
}


class Node(msgspec.Struct, frozen=True):
    """A value of the document and the place of its key (for an array's element: its own place).

    The value is a `Text`, bool, int, float, date or time, a list of nodes, or a dict of nodes.
    """

    value: Any
    place: Place

    @property
    def kind(self) -> str:
        """What the value is, in words."""
        return KINDS.get(type(self.value), "a date or time")


class NotTomlError(ValueError):
    """Raised when a file is not TOML; `fault` says where."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def parse(content: bytes, file: str) -> Node:
    """The document's tree; `file` is how faults name it. Raises NotTomlError."""
    text = _decode(content, file)
    try:
        data = tomllib.loads(text)  # first: `places` walks only over what this accepts
        return _Tree(file, places(text)).node(data, ())
    except tomllib.TOMLDecodeError as error:
        raise NotTomlError(_syntax_fault(str(error), text, file)) from None
    except RecursionError:
        raise NotTomlError(Fault(Place(file, 1, 1), "its values are nested too deeply")) from None


def _decode(content: bytes, file: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        place = Place(file, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise NotTomlError(Fault(place, "it is not UTF-8", suggestion="save the file as UTF-8")) from None
    return text.replace("\r\n", "\n")


def _syntax_fault(message: str, text: str, file: str) -> Fault:
    stands = _AT_LINE.search(message)
    if stands:
        place = Place(file, int(stands[1]), int(stands[2]))
    else:
        place = Place(file, max(1, len(text.splitlines())), 1)
    said = _AT_END.sub("", _AT_LINE.sub("", message))
    return Fault(place, f"not valid TOML: {said[:1].lower()}{said[1:]}")


class _Tree:
    def __init__(self, file: str, standings: dict[Path, Standing]) -> None:
        self._file = file
        self._standings = standings

    def node(self, value: object, path: Path) -> Node:
        standing = self._standings.get(path, Standing(1, 1, 1, 1, ""))
        place = Place(self._file, standing.line, standing.column)
        if isinstance(value, dict):
            return Node({key: self.node(inner, (*path, key)) for key, inner in value.items()}, place)
        if isinstance(value, list):
            return Node([self.node(inner, (*path, index)) for index, inner in enumerate(value)], place)
        if isinstance(value, str):
            begins = Place(self._file, standing.value_line, standing.value_column)
            return Node(Text(value, begins, standing.raw), place)
        return Node(value, place)
