"""The functions of the language: how many arguments each takes and what stands where."""

from __future__ import annotations

import difflib
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from stages.expression.errors import Refusal
from stages.expression.syntax.tree import TextLiteral
from stages.expression.values.date_parts import PARTS
from stages.expression.values.date_trunc import TRUNCATIONS

if TYPE_CHECKING:
    from collections.abc import Collection

    from stages.expression.syntax.tree import Call


class Parameter(StrEnum):
    """What an argument must be."""

    ANY = "a value"
    TEXT = "a text"
    COUNT = "a whole number"  # 32 bits wide, as Postgres has it
    NUMBER = "a number"
    DIGITS = "a number of digits, written out"
    DATE = "a date or timestamp"
    FIELD = "the name of a part of a date"


ANY, TEXT, COUNT = Parameter.ANY, Parameter.TEXT, Parameter.COUNT
NUMBER, DIGITS, DATE, FIELD = Parameter.NUMBER, Parameter.DIGITS, Parameter.DATE, Parameter.FIELD


class Signature(msgspec.Struct, frozen=True):
    """The parameters; the last `optional` may be left out, and the last one repeats where `repeats`."""

    parameters: tuple[Parameter, ...]
    optional: int = 0
    repeats: bool = False


SIGNATURES: Final = {
    "abs": Signature((NUMBER,)),
    "btrim": Signature((TEXT, TEXT), optional=1),
    "ceil": Signature((NUMBER,)),
    "coalesce": Signature((ANY,), repeats=True),
    "concat": Signature((ANY,), repeats=True),
    "concat_ws": Signature((TEXT, ANY), repeats=True),
    "date_part": Signature((FIELD, DATE)),
    "date_trunc": Signature((FIELD, DATE)),
    "extract": Signature((FIELD, DATE)),
    "floor": Signature((NUMBER,)),
    "greatest": Signature((ANY,), repeats=True),
    "least": Signature((ANY,), repeats=True),
    "left": Signature((TEXT, COUNT)),
    "length": Signature((TEXT,)),
    "lower": Signature((TEXT,)),
    "lpad": Signature((TEXT, COUNT, TEXT), optional=1),
    "ltrim": Signature((TEXT, TEXT), optional=1),
    "md5": Signature((TEXT,)),
    "mod": Signature((NUMBER, NUMBER)),
    "nullif": Signature((ANY, ANY)),
    "replace": Signature((TEXT, TEXT, TEXT)),
    "right": Signature((TEXT, COUNT)),
    "round": Signature((NUMBER, DIGITS), optional=1),
    "rpad": Signature((TEXT, COUNT, TEXT), optional=1),
    "rtrim": Signature((TEXT, TEXT), optional=1),
    "sign": Signature((NUMBER,)),
    "split_part": Signature((TEXT, TEXT, COUNT)),
    "strpos": Signature((TEXT, TEXT)),
    "substring": Signature((TEXT, COUNT, COUNT), optional=1),
    "trunc": Signature((NUMBER, DIGITS), optional=1),
    "upper": Signature((TEXT,)),
}

_CLOCK: Final = {
    "now",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "age",
}
_SESSION: Final = {
    "user",
    "current_user",
    "session_user",
    "current_role",
    "current_catalog",
    "current_schema",
}
_REGULAR: Final = {"regexp_replace", "regexp_match", "regexp_like", "regexp_substr", "regexp_count"}


def check_call(call: Call) -> None:
    """Raise Refusal for an unknown function or part of a date, and for too few or too many arguments."""
    signature = SIGNATURES.get(call.name)
    if signature is None:
        raise Refusal(call.at, *_unknown(call.name))
    given, most = len(call.arguments), len(signature.parameters)
    if given < most - signature.optional or (given > most and not signature.repeats):
        wanted = " and ".join(signature.parameters)
        counted = "1 argument" if given == 1 else f"{given} arguments"
        raise Refusal(call.at, f"{call.name} does not take {counted}", f"it takes {wanted}")
    if FIELD in signature.parameters:
        _check_field(call, TRUNCATIONS if call.name == "date_trunc" else PARTS)


def _check_field(call: Call, known: Collection[str]) -> None:
    field = call.arguments[0]
    if not isinstance(field, TextLiteral) or field.text.lower() not in known:
        raise Refusal(call.at, f"{call.name} names a part of a date first", "known are " + ", ".join(known))


def reserved(name: str) -> str | None:
    """Why an unquoted `name` is no column: Postgres reads it as the clock or the session."""
    if name in _CLOCK:
        return f"{name}: rules read no clock, so that a change means the same whenever it is replicated"
    if name in _SESSION:
        return f"{name} is the session's user or database, which rules do not read"
    return None


def _unknown(name: str) -> tuple[str, str | None]:
    if reason := reserved(name):
        return reason, None
    if name in _REGULAR:
        return (
            f"{name}: there are no regular expressions in the rule language",
            "use LIKE, replace or split_part",
        )
    close = difflib.get_close_matches(name, SIGNATURES, n=1)
    suggestion = f"did you mean {close[0]}?" if close else "the functions are " + ", ".join(SIGNATURES)
    return f"unknown function {name}", suggestion
