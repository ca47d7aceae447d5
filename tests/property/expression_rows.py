"""Random rows for expressions: values at the edges of their types among ordinary ones."""

from __future__ import annotations

import struct
import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from stages.expression import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT, BOOLEAN, INTEGER, NUMERIC = SqlType.TEXT, SqlType.BOOLEAN, SqlType.INTEGER, SqlType.NUMERIC
DOUBLE, DATE, TIMESTAMP, TIMESTAMPTZ = SqlType.DOUBLE, SqlType.DATE, SqlType.TIMESTAMP, SqlType.TIMESTAMPTZ

PREFIXES: Final = {
    TEXT: "t",
    BOOLEAN: "b",
    INTEGER: "n",
    NUMERIC: "q",
    DOUBLE: "f",
    DATE: "d",
    TIMESTAMP: "s",
    TIMESTAMPTZ: "z",
}
"""Every type has two columns, as n1 and n2."""

TEXTS: Final = (
    *("", " ", "a", "abc", "Abc", "ABC", "äÖß", "İıŞ", "ﬁn", "ᾳᾼ", "Σίσυφος", "日本", "🙂a🙂", "a,b,,c"),
    *("%", "_", "\\", "a%", "%b_", "a\\%b", "it's", "0", "1", "-7", "12.50", "1e5", "true", "f", "no"),
    *("2024-02-29", "2023-02-29", "2024-02-29 12:34:56.789", "1999-12-31T23:59:59.5Z", " 5 ", "\t7\n"),
    *("aaaa", " pad  ", "NaN"),
)
INTEGERS: Final = (0, 1, -1, 2, 3, 7, -13, 100, 2**31, 2**53 + 1, 2**63 - 1)
_NUMBERS: Final = (
    *("0", "0.00", "1", "1.0", "-1.5", "2.5", "0.5", "-0.5", "12.340", "99999.9999", "0.00001"),
    *("100000000000000000000", "-123456789012345678901234.5", "3", "7", "1000", "1e-15", "0.3333"),
    *("NaN", "Infinity", "-Infinity"),
)
_DOUBLES: Final = (
    *(0.0, -0.0, 0.5, 1.5, -2.5, 0.1, 1e15, 1e16, 1e23, 123456.789, 1e300, 5e-324, 2.0**63, 2.0**53),
    *(float("nan"), float("inf"), float("-inf")),
)
_DATES: Final = (date(2024, 2, 29), date(2023, 12, 31), date(2000, 1, 1), date.min, date.max)
_TIMES: Final = (
    *("2024-02-29T12:34:56.789", "2024-03-31T02:30", "2024-10-27T02:30"),
    "1999-12-31T23:59:59.999999",
)
_ZERO: Final = datetime.fromisoformat("1970-01-01")
_YEAR: Final = 365 * 86_400
_LAST_DAY: Final = date.max.toordinal()


def _text(random: Random) -> str:
    return "".join(_character(random) for _ in range(random.randrange(7)))


def _character(random: Random) -> str:
    """Any but NUL, and what Unicode versions disagree about: unassigned ones, and two that gained a case."""
    while True:
        found = chr(random.randrange(1, random.choice((0x80, 0x3000, 0x11_0000))))
        if unicodedata.category(found) not in {"Cs", "Cn"} and found not in "ƛɤ":
            return found


def _integer(random: Random) -> int:
    bits = random.choice((6, 30, 63))
    return random.randrange(-(2**bits), 2**bits)


def _number(random: Random) -> Decimal:
    digits = random.choice((2, 6, 12, 40))
    return Decimal(f"{random.randint(-(10**digits), 10**digits)}e-{random.randrange(digits + 4)}")


def _double(random: Random) -> float:
    ordinary = random.uniform(-1e6, 1e6)
    wild: float = struct.unpack("d", struct.pack("Q", random.getrandbits(64)))[0]
    return random.choice((ordinary, round(ordinary, 2), float(round(ordinary)), wild))


def _date(random: Random) -> date:
    if random.random() < 0.5:
        return date.fromordinal(random.randrange(1, _LAST_DAY))
    return _ZERO.date() + timedelta(days=random.randrange(-7_000, 24_000))


def _timestamp(random: Random) -> datetime:
    fraction = random.choice((0, 500_000, random.randrange(10**6)))
    near = _ZERO + timedelta(seconds=random.randrange(66 * _YEAR), microseconds=fraction)
    far = datetime.combine(date.fromordinal(random.randrange(1, _LAST_DAY)), near.time())
    return random.choice((near, near, far))


_POOLS: Final[dict[SqlType, tuple[Any, ...]]] = {
    TEXT: TEXTS,
    BOOLEAN: (True, False),
    INTEGER: INTEGERS,
    NUMERIC: tuple(map(Decimal, _NUMBERS)),
    DOUBLE: _DOUBLES,
    DATE: _DATES,
    TIMESTAMP: tuple(map(datetime.fromisoformat, _TIMES)),
    TIMESTAMPTZ: tuple(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in _TIMES),
}
_DRAWN: Final[dict[SqlType, Callable[[Random], Any]]] = {
    TEXT: _text,
    BOOLEAN: lambda random: random.random() < 0.5,
    INTEGER: _integer,
    NUMERIC: _number,
    DOUBLE: _double,
    DATE: _date,
    TIMESTAMP: _timestamp,
    TIMESTAMPTZ: lambda random: _timestamp(random).replace(tzinfo=UTC),
}


def row(seed: int) -> dict[str, Any]:
    """A row with every column; one value in eight is NULL, and half of the others stand at an edge."""
    random = Random(seed)
    return {
        f"{prefix}{number}": _value(random, type_) for type_, prefix in PREFIXES.items() for number in (1, 2)
    }


def _value(random: Random, type_: SqlType) -> Any:
    chosen = random.randrange(8)
    if chosen == 0:
        return None
    return random.choice(_POOLS[type_]) if chosen < 5 else _DRAWN[type_](random)


rows: Final = st.integers(0, 2**32).map(row)
"""Rows by seed: drawing each value through Hypothesis would take longer than asking Postgres."""
