"""CAST: the conversions that are written out, among them every type to and from text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from stages.expression.compiler.operand import Operand, applied, constant
from stages.expression.errors import EvaluationError, Refusal
from stages.expression.types import SqlType
from stages.expression.values import numeric
from stages.expression.values.conversions import ASSIGNED, double_to_integer, numeric_to_integer
from stages.expression.values.integer import held
from stages.expression.values.text_input import READERS, read_integer
from stages.expression.values.text_output import WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from stages.expression.syntax.tree import TypeName

    Convert = Callable[[Any], Any]

TYPES: Final = {
    "text": SqlType.TEXT,
    "varchar": SqlType.TEXT,
    "boolean": SqlType.BOOLEAN,
    "smallint": SqlType.INTEGER,
    "integer": SqlType.INTEGER,
    "bigint": SqlType.INTEGER,
    "numeric": SqlType.NUMERIC,
    "double precision": SqlType.DOUBLE,
    "date": SqlType.DATE,
    "timestamp": SqlType.TIMESTAMP,
    "timestamptz": SqlType.TIMESTAMPTZ,
}


def cast(operand: Operand, name: TypeName, at: int) -> Operand:
    """CAST(operand AS name). Raises Refusal where Postgres has no such cast."""
    type_ = TYPES[name.name]
    if operand.type is None:
        converted = _literal(operand, name.name, type_)
    else:
        convert = _conversion(operand.type, name.name, type_)
        if convert is None:
            raise Refusal(
                at, f"{operand.described} cannot be cast to {name.name}", _hint(operand.type, type_)
            )
        converted = applied(type_, convert, at, operand)
    fit = _fitting(name)
    return converted if fit is None else applied(type_, fit, at, converted)


def _literal(operand: Operand, name: str, type_: SqlType) -> Operand:
    if operand.value is None:
        return constant(type_, None, operand.at)
    try:
        return constant(type_, _reader(name, type_)(operand.value), operand.at)
    except EvaluationError as error:
        raise Refusal(operand.at, f"{name} is wanted here: {error.message}") from None


def _conversion(source: SqlType, name: str, type_: SqlType) -> Convert | None:
    if source is SqlType.TEXT:
        return _reader(name, type_)
    if type_ is SqlType.TEXT:
        return WRITERS[source]
    if type_ is SqlType.INTEGER:
        return _to_integer(source, name)
    if source is type_:
        return _unchanged
    return ASSIGNED.get((source, type_))


def _reader(name: str, type_: SqlType) -> Convert:
    return partial(read_integer, type_=name) if type_ is SqlType.INTEGER else READERS[type_]


def _to_integer(source: SqlType, name: str) -> Convert | None:
    if source is SqlType.BOOLEAN:
        return int if name == "integer" else None  # Postgres has it for the one size alone
    function: dict[SqlType, Callable[..., int]] = {
        SqlType.INTEGER: held,
        SqlType.NUMERIC: numeric_to_integer,
        SqlType.DOUBLE: double_to_integer,
    }
    return partial(function[source], type_=name) if source in function else None


def _unchanged(value: Any) -> Any:
    return value


def _fitting(name: TypeName) -> Convert | None:
    """What the modifiers do to a value of the type."""
    if not name.modifiers:
        return None
    if name.name == "varchar":
        length = name.modifiers[0]
        return lambda value: value[:length]
    precision, scale = (*name.modifiers, 0)[:2]
    return lambda value: numeric.fitted(value, precision, scale)


def _hint(source: SqlType, type_: SqlType) -> str | None:
    if type_ is SqlType.BOOLEAN:
        return "write a condition such as x <> 0"
    return "write CAST(… AS integer)" if source is SqlType.BOOLEAN else None
