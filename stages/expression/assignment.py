"""Assignment casts: what becomes of a value when it is written to a column of another type.

A write travels as JSON into `json_to_recordset`, whose input functions apply lengths, precisions and scales:
so a value only has to be changed where its text would be read as something else, or refused.
"""

from __future__ import annotations

import struct
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from stages.expression.errors import EvaluationError
from stages.expression.types import SqlType, Value, modifiers, sql_type, unmodified
from stages.expression.values.conversions import ASSIGNED, double_to_integer, numeric_to_integer
from stages.expression.values.numeric import fitted, overflow
from stages.expression.values.text_input import READERS, read_double, read_integer, read_numeric
from stages.expression.values.text_output import WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from stages.expression.expression import Expression

    Assign: TypeAlias = Callable[[Value], Value]

_TEXTS: Final = ("text", "character varying", "character", "citext")
_WRITTEN_AS_TEXT: Final = (  # their JSON is what a cast to text gives
    "citext",
    "uuid",
    "real",
    "interval",
    "time without time zone",
    "time with time zone",
    "bytea",
    "money",
)
_TO_INTEGER: Final[dict[SqlType, Callable[..., int]]] = {
    SqlType.NUMERIC: numeric_to_integer,
    SqlType.DOUBLE: double_to_integer,
}
_DOCUMENTS: Final = ("json", "jsonb")


def unchanged(value: Value) -> Value:
    """The value as it is: compare with `is` to see that an assignment does nothing."""
    return value


def assignment(source: SqlType, target: str, source_formatted: str | None = None) -> Assign | None:
    """How a value of `source` is written to a column that `format_type()` writes as `target`.

    None where Postgres has no assignment cast. For a column of type OTHER, copied as it is,
    `source_formatted` tells what it is; without it OTHER goes into OTHER. The result raises EvaluationError
    22003 and the like.
    """
    if source is SqlType.OTHER:
        return _copied(source_formatted, target)
    convert = _conversion(source, unmodified(target))
    return convert if convert is None or convert is unchanged else _unless_null(convert)


def assignment_of(expression: Expression, target: str, source_formatted: str | None = None) -> Assign | None:
    """The same for what `expression` evaluates to; a bare literal or NULL takes the column's type.

    Raises EvaluationError where a literal spells no value of that type.
    """
    if not expression.untyped:
        return assignment(expression.type, target, source_formatted)
    value = None if expression.literal is None else assign_literal(expression.literal, target)
    return lambda _: value


def assign_literal(text: str, target: str) -> Value:
    """The text literal as a value for a column of type `target`. Raises EvaluationError where it is none."""
    base, limits = unmodified(target), modifiers(target)
    if base in _DOCUMENTS:
        return _document(text)
    if base in {"character varying", "character"} and len(text.rstrip(" ")) > (limits or (len(text),))[0]:
        raise EvaluationError("22001", f"the text is too long for {target}")
    if base in {"smallint", "integer", "bigint"}:
        return read_integer(text, base)
    if base == "numeric" and limits:
        precision, scale = (*limits, 0)[:2]
        return fitted(read_numeric(text), precision, scale)
    if base == "real":
        return _to_real(read_double(text))
    read = READERS.get(sql_type(target))
    return text if read is None else read(text)  # Postgres reads what we do not know when it is written


def _document(text: str) -> msgspec.Raw:
    try:
        msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        raise EvaluationError("22P02", "the text is no JSON") from None
    return msgspec.Raw(text.encode())


def _conversion(source: SqlType, target: str) -> Callable[[Any], Any] | None:
    if target in _TEXTS:
        return unchanged if source is SqlType.TEXT else WRITERS[source]
    if target == "real":
        return {SqlType.INTEGER: unchanged, SqlType.NUMERIC: unchanged, SqlType.DOUBLE: _to_real}.get(source)
    type_ = sql_type(target)
    if source is type_:
        return unchanged
    if type_ is SqlType.INTEGER:
        return partial(_TO_INTEGER[source], type_=target) if source in _TO_INTEGER else None
    if source in {SqlType.INTEGER, SqlType.NUMERIC} and type_ in {SqlType.NUMERIC, SqlType.DOUBLE}:
        return unchanged  # the digits are read by the column's own input function
    return ASSIGNED.get((source, type_))


def _to_real(value: float) -> float:
    """The nearest single. Raises EvaluationError 22003 where it is too large or becomes zero."""
    try:
        single: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        raise overflow("real") from None
    if single == 0.0 and value != 0.0:
        raise overflow("real")
    return single


def _unless_null(convert: Callable[[Any], Any]) -> Assign:
    return lambda value: None if value is None else convert(value)


def _copied(source: str | None, target: str) -> Assign | None:
    wanted, base = unmodified(target), None if source is None else unmodified(source)
    if sql_type(target) is SqlType.OTHER and base in {None, wanted}:
        return unchanged
    if base == "character" and wanted in _TEXTS:
        return _unless_null(_without_padding)
    return unchanged if base in _WRITTEN_AS_TEXT and wanted in _TEXTS else None


def _without_padding(value: str | msgspec.Raw) -> str | None:
    """The text of a `character(n)`, whose trailing blanks are no part of it."""
    text = msgspec.json.decode(value, type=str | None) if isinstance(value, msgspec.Raw) else value
    return None if text is None else text.rstrip(" ")
