"""Making operands agree: literals take the type their place asks for, and types give way to wider ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.expression.compiler.operand import Operand, applied, constant
from stages.expression.errors import EvaluationError, Refusal
from stages.expression.types import DATES, NUMBERS, SqlType
from stages.expression.values.conversions import IMPLICIT
from stages.expression.values.text_input import READERS

if TYPE_CHECKING:
    from collections.abc import Sequence


def coerce(operand: Operand, type_: SqlType) -> Operand:
    """`operand` as `type_`, by an implicit conversion. Raises Refusal where there is none."""
    if operand.type is type_:
        return operand
    if operand.type is None:
        return literal_as(operand, type_)
    convert = IMPLICIT.get((operand.type, type_))
    if convert is None:
        raise Refusal(operand.at, f"{type_.value} is wanted here, not {operand.described}", hint(type_))
    return applied(type_, convert, operand.at, operand)


def literal_as(operand: Operand, type_: SqlType) -> Operand:
    """An untyped literal or NULL as `type_`. Raises Refusal where the text spells no such value."""
    if operand.value is None:
        return constant(type_, None, operand.at)
    try:
        return constant(type_, READERS[type_](operand.value), operand.at)
    except EvaluationError as error:
        raise Refusal(operand.at, f"{type_.value} is wanted here: {error.message}") from None


def common_type(operands: Sequence[Operand], place: str) -> SqlType:
    """The type that all `operands` of `place` can take; TEXT where none has a type. Raises Refusal."""
    found = None
    for operand in operands:
        wider = operand.type if found is None else agreed(found, operand.type)
        if wider is None and operand.type is not None:
            raise Refusal(
                operand.at, f"{place} mixes {found} and {operand.described}", "write a cast on one of them"
            )
        found = wider or found
    return found or SqlType.TEXT


def agreed(left: SqlType | None, right: SqlType | None) -> SqlType | None:
    """The wider of two types, or None where neither gives way. An unknown type gives way to any."""
    if left is None or right is None or left is right:
        return left or right
    for family in (NUMBERS, DATES):
        if left in family and right in family:
            return max(left, right, key=family.index)
    return None


def hint(type_: SqlType) -> str | None:
    """What to write to get a value of `type_`."""
    if type_ is SqlType.TEXT:
        return "write CAST(… AS text)"
    return "write a condition such as x = 1 or x IS NOT NULL" if type_ is SqlType.BOOLEAN else None
