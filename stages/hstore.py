"""The text form of hstore, in which the trigger log keeps a row: "name"=>"value", "other"=>NULL."""

from __future__ import annotations

import re
from typing import Final

_QUOTED: Final = r'"((?:[^"\\]|\\.)*)"'
_PAIR: Final = re.compile(rf"\s*{_QUOTED}\s*=>\s*(?:{_QUOTED}|(NULL))\s*(?:,|$)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def read_hstore(text: str) -> dict[str, str | None]:
    """The columns of a row, each with its value as text. What is none is read as far as it goes."""
    row: dict[str, str | None] = {}
    place = 0
    while pair := _PAIR.match(text, place):
        name, value, null = pair.groups()
        row[_plain(name)] = None if null else _plain(value)
        place = pair.end()
    return row


def _plain(quoted: str) -> str:
    return _ESCAPED.sub(r"\1", quoted)
