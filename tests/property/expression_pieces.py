"""Pieces of random expressions, each spelled twice: in the rule language, and as Postgres is asked.

The two differ in integers alone. The rule language has one size of them, so Postgres's literals and 32-bit
results are cast to bigint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from hypothesis import strategies as st

from tests.property.expression_rows import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTEGERS,
    NUMERIC,
    TEXT,
    TEXTS,
    TIMESTAMP,
    TIMESTAMPTZ,
)

if TYPE_CHECKING:
    from stages.expression import SqlType


class Piece(msgspec.Struct, frozen=True):
    """An expression in both spellings. `lazy`: Postgres promises no order, or leaves parts out."""

    ours: str
    theirs: str
    parts: tuple[Piece, ...] = ()
    lazy: bool = False

    def inner(self) -> list[Piece]:
        """This piece and all within it."""
        return [self, *(found for part in self.parts for found in part.inner())]


def quoted(text: str) -> str:
    """`text` as a literal."""
    return "'" + text.replace("'", "''") + "'"


def same(text: str) -> Piece:
    """What is spelled alike."""
    return Piece(text, text)


def whole(value: int) -> Piece:
    """An integer."""
    digits = str(abs(value))
    sign = "-" if value < 0 else ""
    return Piece(f"({sign}{digits})", f"({sign}({digits}::bigint))")


integers: Final = st.sampled_from(INTEGERS) | st.integers(-50, 50)
texts: Final = st.sampled_from(TEXTS) | st.text("ab%_\\!Aßİ\n'5 ", max_size=6)
small: Final = st.integers(-3, 9)
_NUMBER_LITERALS: Final = (
    "0.00",
    "1.5",
    "12.3400",
    "1e3",
    "1E-5",
    "0.1",
    "99999999999999999999",
    "3.00",
    "7.",
)
_DATED: Final = ("2024-02-29", "2023-12-31 23:59:59.999999", "1970-01-01 00:00:00", "2024-03-31T02:30:00+02")
LITERALS: Final[dict[SqlType, st.SearchStrategy[Piece]]] = {
    TEXT: texts.map(quoted).map(same),
    BOOLEAN: st.sampled_from(["TRUE", "FALSE", "CAST(NULL AS boolean)"]).map(same),
    INTEGER: integers.map(whole),
    NUMERIC: st.sampled_from(_NUMBER_LITERALS).map(same),
    DOUBLE: st.sampled_from(["0", "1.5", "-2.5", "1e200", "NaN", "Infinity", "0.1"]).map(
        lambda text: same(f"CAST('{text}' AS double precision)")
    ),
    DATE: st.sampled_from(_DATED).map(lambda text: same(f"DATE '{text}'")),
    TIMESTAMP: st.sampled_from(_DATED).map(lambda text: same(f"TIMESTAMP '{text}'")),
    TIMESTAMPTZ: st.sampled_from(_DATED).map(lambda text: same(f"TIMESTAMPTZ '{text}'")),
}
