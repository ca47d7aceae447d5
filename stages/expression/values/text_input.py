"""Reading values from text, as the input functions of Postgres's types do.

Dates are read in their ISO 8601 forms alone, and numbers as Postgres 15 read them (no 0x1F, no 1_000).
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from stages.expression.errors import EvaluationError
from stages.expression.types import SqlType
from stages.expression.values.datetime_input import read_date, read_timestamp, read_timestamptz
from stages.expression.values.integer import BOUNDS
from stages.expression.values.numeric import EXACT, MAX_SCALE, ZERO, held, overflow, scale

if TYPE_CHECKING:
    from collections.abc import Callable

BLANKS: Final = " \t\n\v\f\r"
"""What Postgres's C functions take for white space."""

_INTEGER: Final = re.compile(r"[+-]?0*([0-9]+)")
_NUMBER: Final = re.compile(r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)(?:e([+-]?[0-9]+))?", re.IGNORECASE)
_SPECIAL: Final = re.compile(r"([+-]?)(?:inf|infinity)|nan", re.IGNORECASE)
_SIGNED_NAN: Final = re.compile(r"[+-]nan", re.IGNORECASE)
_HEXADECIMAL: Final = re.compile(r"[+-]?0x[0-9a-f]*\.?[0-9a-f]*(?:p[+-]?[0-9]+)?", re.IGNORECASE)
_MANY_DIGITS: Final = 20  # more than any integer has
_MAX_EXPONENT: Final = 200_000  # none so large gives a number
_NO_EXPONENT: Final = 2**30 - 1  # none so large is read
_WORDS: Final = {True: ("true", "yes", "on", "1"), False: ("false", "no", "off", "0")}


def not_a(type_: str) -> EvaluationError:
    """The error of a text that does not spell a value of the type."""
    return EvaluationError("22P02", f"the text is no {type_}")


def read_integer(text: str, type_: str = "bigint") -> int:
    """The integer that `text` spells. Raises EvaluationError 22P02, or 22003 beyond `type_`."""
    stripped = text.strip(BLANKS)
    least, most = BOUNDS[type_]
    match = _INTEGER.match(stripped)
    digits = match[1] if match else ""
    # Postgres reads digit by digit, and meets a number too large before it meets what is no digit.
    if digits and int(digits[:-1][:_MANY_DIGITS] or 0) > most // 10:
        raise overflow(type_)
    if match is None or match.end() != len(stripped):
        raise not_a(type_)
    value = int(stripped)
    if not least <= value <= most:
        raise overflow(type_)
    return value


def read_numeric(text: str) -> Decimal:
    """The number that `text` spells, with its scale. Raises EvaluationError 22P02 or 22003."""
    stripped = text.strip(BLANKS)
    if _SPECIAL.fullmatch(stripped):
        return Decimal(stripped)
    match = _NUMBER.match(stripped)
    exponent = int(match[3] or 0) if match else 0
    if abs(exponent) >= _NO_EXPONENT:
        raise overflow("numeric")  # which Postgres notices before what follows the number
    if match is None or match.end() != len(stripped):
        raise not_a("numeric")
    if not match[2].strip("0."):
        exponent = min(exponent, len(match[2]))  # a zero has no size, but may have a scale
    if abs(exponent) > _MAX_EXPONENT:
        raise overflow("numeric")
    value = EXACT.add(EXACT.create_decimal(f"{match[1]}{match[2]}e{exponent}"), ZERO)
    if scale(value) > MAX_SCALE:
        raise overflow("numeric")
    return held(value)


def read_double(text: str) -> float:
    """The double that `text` spells. Raises EvaluationError 22P02, or 22003 for too large or small a one."""
    stripped = text.strip(BLANKS)
    if _SPECIAL.fullmatch(stripped) or _SIGNED_NAN.fullmatch(stripped):
        return float(stripped)
    match = _NUMBER.match(stripped)
    if match is None:
        raise not_a("double precision")
    value = float(match[0])
    if math.isinf(value) or (value == 0.0 and match[2].strip("0.")):
        raise overflow("double precision")  # which Postgres notices before what follows the number
    if match.end() != len(stripped):
        raise not_a("double precision")
    return value


def read_boolean(text: str) -> bool:
    """The truth value that `text` spells: any clear beginning of true, yes, on, 1 or their opposites."""
    word = text.strip(BLANKS).lower()
    for value, spellings in _WORDS.items():
        if any(spelling.startswith(word) for spelling in spellings) and word not in {"", "o"}:
            return value
    raise not_a("boolean")


def read_text(text: str) -> str:
    """`text` itself."""
    return text


READERS: Final[dict[SqlType, Callable[[str], Any]]] = {
    SqlType.TEXT: read_text,
    SqlType.BOOLEAN: read_boolean,
    SqlType.INTEGER: read_integer,
    SqlType.NUMERIC: read_numeric,
    SqlType.DOUBLE: read_double,
    SqlType.DATE: read_date,
    SqlType.TIMESTAMP: read_timestamp,
    SqlType.TIMESTAMPTZ: read_timestamptz,
}
