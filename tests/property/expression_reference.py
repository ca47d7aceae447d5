"""The examples of docs/expressions.md and the record that they read."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stages.expression import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable

REFERENCE: Final = Path(__file__).parents[2] / "docs" / "expressions.md"
_BLOCK: Final = re.compile(r"^```expressions\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COLUMN: Final = re.compile(r"^\| `(\w+)` \| ([a-z ]+) \| (?:`(.+)`|NULL) \|$", re.MULTILINE)
_READ: Final[dict[SqlType, Callable[[str], Any]]] = {
    SqlType.TEXT: str,
    SqlType.BOOLEAN: lambda text: text == "true",
    SqlType.INTEGER: int,
    SqlType.NUMERIC: Decimal,
    SqlType.DOUBLE: float,
    SqlType.DATE: date.fromisoformat,
    SqlType.TIMESTAMP: datetime.fromisoformat,
    SqlType.TIMESTAMPTZ: datetime.fromisoformat,
}


class Example(msgspec.Struct, frozen=True):
    """A line `expression -> result` of the reference."""

    expression: str
    result: str


def _examples() -> list[Example]:
    lines = [line for block in _BLOCK.findall(REFERENCE.read_text()) for line in block.splitlines()]
    parts = [line.rpartition(" -> ") for line in lines]
    return [Example(expression, result) for expression, _, result in parts]


EXAMPLES: Final = _examples()
COLUMNS: Final = {name: SqlType(type_) for name, type_, _ in _COLUMN.findall(REFERENCE.read_text())}
TEXTS: Final = {name: text or None for name, _, text in _COLUMN.findall(REFERENCE.read_text())}
ROW: Final = {name: None if text is None else _READ[COLUMNS[name]](text) for name, text in TEXTS.items()}
