"""Evaluating an expression over one row, for tables of cases."""

from __future__ import annotations

from typing import Any, Final

import pytest

from stages.expression import EvaluationError, ExpressionError, SqlType, compile_expression

COLUMNS: Final = {
    "t": SqlType.TEXT,
    "u": SqlType.TEXT,
    "b": SqlType.BOOLEAN,
    "c": SqlType.BOOLEAN,
    "n": SqlType.INTEGER,
    "m": SqlType.INTEGER,
    "q": SqlType.NUMERIC,
    "f": SqlType.DOUBLE,
    "d": SqlType.DATE,
    "s": SqlType.TIMESTAMP,
    "z": SqlType.TIMESTAMPTZ,
    "o": SqlType.OTHER,
}
_NULLS: Final = dict.fromkeys(COLUMNS)


def value_of(text: str, **row: Any) -> Any:
    """The value of `text` where the columns not given are NULL."""
    return compile_expression(text, COLUMNS).evaluate(_NULLS | row)


def type_of(text: str) -> SqlType:
    """The type of `text`."""
    return compile_expression(text, COLUMNS).type


def state_of(text: str, **row: Any) -> str:
    """The SQLSTATE with which `text` fails."""
    with pytest.raises(EvaluationError) as caught:
        value_of(text, **row)
    return caught.value.sqlstate


def refusal_of(text: str) -> ExpressionError:
    """The error with which `text` is refused."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, COLUMNS)
    return caught.value
