"""Random expressions over random rows mean here what they mean in Postgres."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stages.expression import (
    EvaluationError,
    Expression,
    ExpressionError,
    compile_expression,
    sql_type,
    to_sql,
)
from stages.expression.values.text_output import WRITERS
from tests.property.expression_generator import pieces
from tests.property.expression_postgres import COLUMNS, Outcome
from tests.property.expression_rows import rows

if TYPE_CHECKING:
    from tests.property.expression_pieces import Piece
    from tests.property.expression_postgres import Oracle

EXAMPLES: Final = 2 * settings().max_examples
"""Each is some expressions over some rows, about 65 cases. ORGSTREAM_TEST_EXAMPLES multiplies them."""

LIMITS: Final = {"22007", "22008"}
"""Where the language knows less than Postgres: texts as dates, and years beyond 9999."""


@pytest.mark.timeout(3_600)
@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.generate, Phase.shrink],
)
@given(
    sample=st.lists(rows, min_size=8, max_size=12),
    asked=st.lists(pieces(), min_size=6, max_size=8),
)
def test_expressions_mean_what_postgres_makes_of_them(
    oracle: Oracle, sample: list[dict[str, Any]], asked: list[Piece]
) -> None:
    oracle.fill(sample)
    outcomes = oracle.outcomes([piece.theirs for piece in asked])
    pushed = oracle.outcomes([pushed_down(piece) for piece in asked])
    for number, piece in enumerate(asked):
        for i, row in enumerate(sample):
            ours, theirs = outcome(piece.ours, row), outcomes[number, i]
            assert agree(piece, row, ours, theirs), story(piece.ours, row, ours, theirs)
            again = pushed[number, i]
            same = again == theirs or agree(piece, row, ours, again) or again.state == "22003"
            assert same, story(pushed_down(piece), row, ours, again)


def story(text: str, row: dict[str, Any], ours: Outcome, theirs: Outcome) -> str:
    """The difference, with the values that the expression reads."""
    read = {name: value for name, value in row.items() if name in text}
    return f"{text}\nover {read}\nhere {ours}\nPostgres {theirs}"


def pushed_down(piece: Piece) -> str:
    """What Postgres is given for the expression; for one outside the language, itself."""
    try:
        return to_sql(piece.ours)
    except ExpressionError:
        return piece.theirs


def outcome(text: str, row: dict[str, Any]) -> Outcome:
    """What the expression comes to here. A refused one fails for every row, as in Postgres."""
    expression = compiled(text)
    if expression is None:
        return Outcome(state="refused")
    try:
        value = expression.evaluate(row)
    except EvaluationError as error:
        return Outcome(state=error.sqlstate)
    written = None if value is None else WRITERS[expression.type](value)
    return Outcome(written, type_of(expression))


@lru_cache(maxsize=1_000)
def compiled(text: str) -> Expression | None:
    try:
        return compile_expression(text, COLUMNS)
    except ExpressionError:
        return None


def type_of(expression: Expression) -> str:
    return "unknown" if expression.untyped else expression.type.value


def agree(piece: Piece, row: dict[str, Any], ours: Outcome, theirs: Outcome) -> bool:
    """Whether the outcomes are the same, as far as Postgres promises one.

    Where a part fails that Postgres may leave out, or compute first, either outcome is right.
    """
    if ours.state == "refused":
        return theirs.state is not None
    if ours.state is None and theirs.state is None:
        type_ = theirs.type if theirs.type == "unknown" else sql_type(theirs.type or "").value
        return ours.value == theirs.value and ours.type == type_
    if ours.state == theirs.state:
        return True
    failing = {found.state for part in piece.inner() if (found := outcome(part.ours, row)).state}
    if failing & LIMITS:
        return True
    if theirs.state is not None and theirs.state not in failing:
        return False
    both = ours.state is not None and theirs.state is not None
    return both or "NULL" in piece.ours or any(part.lazy for part in piece.inner())
