"""Text functions and || in expressions: arguments checked, implementations in `text`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stages.expression.compiler.coercion import coerce
from stages.expression.compiler.operand import Operand, applied, computed
from stages.expression.errors import Refusal
from stages.expression.syntax.signatures import SIGNATURES, Parameter
from stages.expression.types import Evaluate, SqlType
from stages.expression.values import letter_case, text
from stages.expression.values.integer import held
from stages.expression.values.text_output import WRITERS, write_boolean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FUNCTIONS: Final[dict[str, tuple[Callable[..., Any], SqlType]]] = {
    "btrim": (text.trim, SqlType.TEXT),
    "left": (text.left, SqlType.TEXT),
    "length": (len, SqlType.INTEGER),
    "lower": (letter_case.lower, SqlType.TEXT),
    "lpad": (text.pad_left, SqlType.TEXT),
    "ltrim": (text.trim_left, SqlType.TEXT),
    "md5": (text.md5, SqlType.TEXT),
    "replace": (text.replace, SqlType.TEXT),
    "right": (text.right, SqlType.TEXT),
    "rpad": (text.pad_right, SqlType.TEXT),
    "rtrim": (text.trim_right, SqlType.TEXT),
    "split_part": (text.split_part, SqlType.TEXT),
    "strpos": (text.position, SqlType.INTEGER),
    "substring": (text.substring, SqlType.TEXT),
    "upper": (letter_case.upper, SqlType.TEXT),
}


def text_function(name: str, arguments: Sequence[Operand], at: int) -> Operand:
    """A call of one of FUNCTIONS: NULL where an argument is."""
    compute, type_ = FUNCTIONS[name]
    kinds = SIGNATURES[name].parameters
    if name == "substring" and any(argument.type is None for argument in arguments[1:]):
        raise Refusal(at, "substring counts characters: there are no regular expressions")
    ready = [_argument(kind, argument) for kind, argument in zip(kinds, arguments, strict=False)]
    return applied(type_, compute, at, *ready)


def _argument(kind: Parameter, argument: Operand) -> Operand:
    if kind is Parameter.TEXT:
        return coerce(argument, SqlType.TEXT)
    count = coerce(argument, SqlType.INTEGER)
    return applied(SqlType.INTEGER, _small, count.at, count)


def _small(value: int) -> int:
    return held(value, "integer")


def joined(operands: Sequence[Operand], at: int) -> Operand:
    """||: one of the first two must be a text; everything else is written as a cast to text writes it."""
    first, second = operands[0].type, operands[1].type
    if first is SqlType.BOOLEAN and second is SqlType.BOOLEAN:
        raise Refusal(at, "|| joins texts", "write OR between conditions")
    if SqlType.TEXT not in {first, second} and None not in {first, second}:
        raise Refusal(at, f"{first} || {second} is not defined", "write CAST(… AS text) on one side")
    texts = [as_text(operand) for operand in operands]
    return applied(SqlType.TEXT, text.join, at, *texts)


def as_text(operand: Operand, *, shown: bool = False) -> Operand:
    """`operand` as a text; `shown` as it is displayed, where a truth value is one letter."""
    if operand.type is None or operand.type is SqlType.TEXT:
        return coerce(operand, SqlType.TEXT)
    write = WRITERS[operand.type]
    if shown and write is write_boolean:
        write = _letter
    return applied(SqlType.TEXT, write, operand.at, operand)


def _letter(value: bool) -> str:
    return "t" if value else "f"


def concat(arguments: Sequence[Operand], at: int) -> Operand:
    """concat(…): never NULL."""
    texts = [as_text(argument, shown=True) for argument in arguments]
    return computed(SqlType.TEXT, _gathered(text.concatenate, texts), at, *texts)


def concat_ws(arguments: Sequence[Operand], at: int) -> Operand:
    """concat_ws(separator, …): NULL only where the separator is."""
    texts = [
        coerce(arguments[0], SqlType.TEXT),
        *(as_text(argument, shown=True) for argument in arguments[1:]),
    ]
    return computed(SqlType.TEXT, _gathered(text.concatenate_with, texts), at, *texts)


def _gathered(compute: Callable[..., Any], parts: Sequence[Operand]) -> Evaluate:
    evaluates = tuple(part.evaluate for part in parts)
    return lambda row: compute(*[part(row) for part in evaluates])
