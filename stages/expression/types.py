"""The types an expression can have, and the Python values that stand for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

Value: TypeAlias = str | bool | int | Decimal | float | date | datetime | msgspec.Raw | None
"""A column's value. TIMESTAMP is a naive `datetime`, TIMESTAMPTZ an aware one, OTHER the JSON as it came."""

Evaluate: TypeAlias = Callable[[Mapping[str, Value]], Any]
"""Computes a value from a row. The expression's type says which: to check it per row would cost too much."""


class SqlType(StrEnum):
    """A type as the rule language sees it. The three sizes of integers are one, 64 bits wide."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "bigint"
    NUMERIC = "numeric"
    DOUBLE = "double precision"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    OTHER = "other"  # json, arrays, uuid, character(n) …: can be copied as it is, never computed with


NUMBERS: Final = (SqlType.INTEGER, SqlType.NUMERIC, SqlType.DOUBLE)
"""The numbers, each implicitly convertible to those after it."""
DATES: Final = (SqlType.DATE, SqlType.TIMESTAMP, SqlType.TIMESTAMPTZ)
"""The dates, each implicitly convertible to those after it."""

_BY_FORMATTED: Final = {
    "text": SqlType.TEXT,
    "character varying": SqlType.TEXT,
    "boolean": SqlType.BOOLEAN,
    "smallint": SqlType.INTEGER,
    "integer": SqlType.INTEGER,
    "bigint": SqlType.INTEGER,
    "numeric": SqlType.NUMERIC,
    "double precision": SqlType.DOUBLE,
    "date": SqlType.DATE,
    "timestamp without time zone": SqlType.TIMESTAMP,
    "timestamp with time zone": SqlType.TIMESTAMPTZ,
}
_MODIFIER: Final = re.compile(r"\(([0-9, -]*)\)")


def unmodified(formatted: str) -> str:
    """A `format_type()` text without its length, precision or scale: "numeric(12,2)" is "numeric"."""
    return _MODIFIER.sub("", formatted)


def modifiers(formatted: str) -> tuple[int, ...]:
    """The length, or precision and scale, of a `format_type()` text: "numeric(12,2)" has 12 and 2."""
    match = _MODIFIER.search(formatted)
    return tuple(map(int, match[1].split(","))) if match else ()


def sql_type(formatted: str) -> SqlType:
    """The type that `format_type()` writes as `formatted`.

    What has no exact counterpart here is OTHER, `real` (its arithmetic is single) and `character(n)` (its
    comparisons ignore trailing blanks) among them.
    """
    return _BY_FORMATTED.get(unmodified(formatted), SqlType.OTHER)
