"""The forms of random expressions: templates with the types of what fills them."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from stages.expression import SqlType
from tests.property.expression_rows import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NUMERIC,
    TEXT,
    TIMESTAMP,
    TIMESTAMPTZ,
)

# Filled otherwise than by a type: a small number, a written number of digits, a LIKE pattern, an interval,
# and what gives way to the type (a narrower one, an untyped literal, NULL).
COUNT, DIGITS, PATTERN, INTERVAL = "count", "digits", "pattern", "interval"
ZONE, PART, TRUNCATION, DAYS, DAY_PART = "zone", "part", "truncation", "days", "day part"


class Narrower(msgspec.Struct, frozen=True):
    """Anything that gives way to `type`."""

    type: SqlType


Filling: TypeAlias = SqlType | Narrower | str


class Form(msgspec.Struct, frozen=True):
    """A template whose {0}, {1} … are filled. `int4`: Postgres gives an integer of 32 bits."""

    template: str
    fillings: tuple[Filling, ...]
    lazy: bool = False
    int4: bool = False


def _forms(template: str, *fillings: Filling, lazy: bool = False, int4: bool = False) -> Form:
    return Form(template, fillings, lazy, int4)


_COMPARED: Final = ("=", "<>", "<", "<=", ">", ">=")
_ALL: Final = (TEXT, BOOLEAN, INTEGER, NUMERIC, DOUBLE, DATE, TIMESTAMP, TIMESTAMPTZ)
_NUMERIC_NAMES: Final = {INTEGER: "bigint", NUMERIC: "numeric", DOUBLE: "double precision"}


def _of_any(type_: SqlType) -> list[Form]:
    """Forms that every type has; Narrower stands first or last, for either side may give way."""
    near = Narrower(type_)
    return [
        _forms("COALESCE({0}, {1})", near, type_, lazy=True),
        _forms("COALESCE({0}, {1}, {2})", type_, near, near, lazy=True),
        _forms("NULLIF({0}, {1})", type_, near),
        _forms("GREATEST({0}, {1})", type_, near),
        _forms("LEAST({0}, {1}, {2})", near, type_, near),
        _forms("CASE WHEN {0} THEN {1} ELSE {2} END", BOOLEAN, type_, near, lazy=True),
        _forms("CASE WHEN {0} THEN {1} WHEN {2} THEN {3} END", BOOLEAN, near, BOOLEAN, type_, lazy=True),
        _forms("CASE {0} WHEN {1} THEN {2} ELSE {3} END", TEXT, Narrower(TEXT), type_, near, lazy=True),
        _forms("CASE {0} WHEN {1} THEN {2} END", NUMERIC, INTEGER, type_, lazy=True),
    ]


def _conditions(type_: SqlType) -> list[Form]:
    near = Narrower(type_)
    return [
        *(_forms(f"({{0}} {sign} {{1}})", type_, near) for sign in _COMPARED),
        *(_forms(f"({{0}} {sign} {{1}})", near, type_) for sign in _COMPARED),
        _forms("({0} IS DISTINCT FROM {1})", type_, near),
        _forms("({0} IS NOT DISTINCT FROM {1})", near, type_),
        _forms("({0} IN ({1}, {2}, {3}))", type_, near, near, near, lazy=True),
        _forms("({0} NOT IN ({1}, {2}))", type_, near, type_, lazy=True),
        _forms("({0} BETWEEN {1} AND {2})", type_, near, near, lazy=True),
        _forms("({0} NOT BETWEEN {1} AND {2})", near, type_, near, lazy=True),
        _forms("({0} IS NULL)", type_),
        _forms("({0} IS NOT NULL)", type_),
    ]


_CONNECTIVES: Final = [
    _forms("({0} AND {1})", BOOLEAN, Narrower(BOOLEAN), lazy=True),
    _forms("({0} OR {1})", Narrower(BOOLEAN), BOOLEAN, lazy=True),
    _forms("({0} OR {1} OR {2})", BOOLEAN, BOOLEAN, BOOLEAN, lazy=True),
    _forms("(NOT {0})", BOOLEAN),
    *(
        _forms(f"({{0}} IS {what})", BOOLEAN)
        for what in ("TRUE", "NOT TRUE", "FALSE", "UNKNOWN", "NOT FALSE")
    ),
    _forms("CAST({0} AS boolean)", TEXT),
]
_LIKES: Final = [
    _forms("({0} LIKE {1})", TEXT, PATTERN),
    _forms("({0} NOT LIKE {1})", TEXT, PATTERN),
    _forms("({0} ILIKE {1})", TEXT, PATTERN),
    _forms("({0} LIKE {1} ESCAPE '!')", TEXT, PATTERN),
    _forms("({0} ILIKE {1} ESCAPE '')", TEXT, PATTERN),
]
_ARITHMETIC: Final = {
    type_: [
        *(_forms(f"({{0}} {sign} {{1}})", type_, Narrower(type_)) for sign in signs),
        *(_forms(f"({{0}} {sign} {{1}})", Narrower(type_), type_) for sign in signs),
        _forms("(- {0})", type_),
        _forms("ABS({0})", type_),
    ]
    for type_, signs in {INTEGER: "+-*/%", NUMERIC: "+-*/%", DOUBLE: "+-*/"}.items()
}
_JOINS: Final = [
    _forms("({0} || {1})", TEXT, Narrower(TEXT)),
    *(_forms("({0} || {1})", TEXT, type_) for type_ in _ALL),
    *(_forms("({0} || {1} || {2})", type_, TEXT, type_) for type_ in (INTEGER, BOOLEAN, NUMERIC, DATE)),
    *(_forms("CAST({0} AS text)", type_) for type_ in _ALL),
    *(_forms("CAST({0} AS varchar(3))", type_) for type_ in (TEXT, INTEGER, NUMERIC, DOUBLE, TIMESTAMP)),
    _forms("CONCAT({0}, {1}, {2})", TEXT, BOOLEAN, NUMERIC),
    _forms("CONCAT_WS({0}, {1}, {2})", Narrower(TEXT), DOUBLE, DATE),
    _forms("CONCAT({0}, {1})", BOOLEAN, Narrower(TEXT)),
]
_TEXT: Final = [
    *(_forms(f"{name}({{0}})", TEXT) for name in ("UPPER", "LOWER", "TRIM", "LTRIM", "RTRIM", "MD5")),
    *(_forms(f"{name}({{0}}, {{1}})", TEXT, Narrower(TEXT)) for name in ("BTRIM", "LTRIM", "RTRIM")),
    _forms("TRIM(BOTH {1} FROM {0})", TEXT, TEXT),
    _forms("SUBSTRING({0}, {1})", TEXT, COUNT),
    _forms("SUBSTRING({0} FROM {1} FOR {2})", TEXT, COUNT, COUNT),
    _forms("LEFT({0}, {1})", TEXT, COUNT),
    _forms("RIGHT({0}, {1})", TEXT, COUNT),
    _forms("REPLACE({0}, {1}, {2})", TEXT, TEXT, Narrower(TEXT)),
    _forms("LPAD({0}, {1}, {2})", TEXT, COUNT, TEXT),
    _forms("RPAD({0}, {1})", TEXT, COUNT),
    _forms("SPLIT_PART({0}, {1}, {2})", TEXT, TEXT, COUNT),
]
_INTEGER: Final = [
    _forms("LENGTH({0})", TEXT, int4=True),
    _forms("POSITION({1} IN {0})", TEXT, TEXT, int4=True),
    _forms("MOD({0}, {1})", INTEGER, INTEGER),
    _forms("({0} - {1})", DATE, DATE, int4=True),
    *(_forms("CAST({0} AS bigint)", type_) for type_ in (TEXT, NUMERIC, DOUBLE)),
    *(
        _forms("CAST({0} AS integer)", type_, int4=True)
        for type_ in (TEXT, INTEGER, NUMERIC, DOUBLE, BOOLEAN)
    ),
    _forms("CAST({0} AS smallint)", NUMERIC, int4=True),
]
_NUMERIC: Final = [
    *(_forms(f"{name}({{0}})", NUMERIC) for name in ("ROUND", "TRUNC", "CEIL", "FLOOR", "SIGN")),
    *(_forms(f"{name}({{0}}, {{1}})", NUMERIC, DIGITS) for name in ("ROUND", "TRUNC")),
    _forms("ROUND({0}, {1})", INTEGER, DIGITS),
    _forms("MOD({0}, {1})", NUMERIC, Narrower(NUMERIC)),
    *(_forms("CAST({0} AS numeric)", type_) for type_ in (TEXT, INTEGER, DOUBLE)),
    *(_forms("CAST({0} AS numeric(8, 2))", type_) for type_ in (TEXT, INTEGER, NUMERIC, DOUBLE)),
    _forms("EXTRACT({1} FROM {0})", DATE, DAY_PART),
    _forms("EXTRACT({1} FROM {0})", TIMESTAMP, PART),
    _forms("EXTRACT({1} FROM {0})", TIMESTAMPTZ, PART),
]
_DOUBLE: Final = [
    *(_forms(f"{name}({{0}})", DOUBLE) for name in ("ROUND", "TRUNC", "CEIL", "FLOOR", "SIGN")),
    *(_forms(f"{name}({{0}})", INTEGER) for name in ("ROUND", "CEIL", "SIGN")),
    *(_forms("CAST({0} AS double precision)", type_) for type_ in (TEXT, INTEGER, NUMERIC)),
    *(_forms("DATE_PART('{1}', {0})", type_, PART) for type_ in (DATE, TIMESTAMP, TIMESTAMPTZ)),
]
_DATE: Final = [
    _forms("({0} + {1})", DATE, DAYS),
    _forms("({0} - {1})", DATE, DAYS),
    *(_forms("CAST({0} AS date)", type_) for type_ in (TEXT, TIMESTAMP, TIMESTAMPTZ)),
]
_TIMESTAMP: Final = [
    *(_forms(f"({{0}} {sign} {{1}})", type_, INTERVAL) for sign in "+-" for type_ in (DATE, TIMESTAMP)),
    *(_forms("CAST({0} AS timestamp)", type_) for type_ in (TEXT, DATE, TIMESTAMPTZ)),
    _forms("DATE_TRUNC('{1}', {0})", TIMESTAMP, TRUNCATION),
    *(_forms("({0} AT TIME ZONE '{1}')", type_, ZONE) for type_ in (DATE, TIMESTAMPTZ)),
]
_TIMESTAMPTZ: Final = [
    *(_forms(f"({{0}} {sign} {{1}})", TIMESTAMPTZ, INTERVAL) for sign in "+-"),
    *(_forms("CAST({0} AS timestamptz)", type_) for type_ in (TEXT, DATE, TIMESTAMP)),
    *(_forms("DATE_TRUNC('{1}', {0})", type_, TRUNCATION) for type_ in (DATE, TIMESTAMPTZ)),
    _forms("({0} AT TIME ZONE '{1}')", TIMESTAMP, ZONE),
]
FORMS: Final[dict[SqlType, tuple[list[Form], ...]]] = {
    BOOLEAN: (
        _CONNECTIVES,
        _CONNECTIVES,
        _LIKES,
        [form for type_ in _ALL for form in _conditions(type_)],
        [form for type_ in (INTEGER, NUMERIC, DOUBLE) for form in _conditions(type_)],
        _of_any(BOOLEAN),
    ),
    TEXT: (_TEXT, _JOINS, _of_any(TEXT)),
    INTEGER: (_INTEGER, _ARITHMETIC[INTEGER], _of_any(INTEGER)),
    NUMERIC: (_NUMERIC, _ARITHMETIC[NUMERIC], _of_any(NUMERIC)),
    DOUBLE: (_DOUBLE, _ARITHMETIC[DOUBLE], _of_any(DOUBLE)),
    DATE: (_DATE, _of_any(DATE)),
    TIMESTAMP: (_TIMESTAMP, _of_any(TIMESTAMP)),
    TIMESTAMPTZ: (_TIMESTAMPTZ, _of_any(TIMESTAMPTZ)),
}
"""The forms of each type in groups, each of which is taken as often as the others."""
