"""Operators without parentheses group here as they do in Postgres, or are refused."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from stages.expression import ExpressionError, compile_expression
from tests.property.expression_postgres import COLUMNS
from tests.property.expression_rows import row
from tests.property.test_expression_oracle import EXAMPLES, outcome

if TYPE_CHECKING:
    from tests.property.expression_postgres import Oracle

# Values at which neither integers of 32 bits overflow nor texts fail to be read.
SAMPLE: Final = row(1) | {"n1": 3, "n2": 5, "b1": True, "b2": False, "t1": "ab", "t2": "b"}
_EXPRESSIONS: Final = 400
_INFIX: Final = (
    *("+", "-", "*", "/", "%", "||", "=", "<>", "<", "<=", ">", ">=", "AND", "OR", "AND NOT", "OR NOT"),
    *("LIKE", "NOT LIKE", "ILIKE", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"),
)
_POSTFIX: Final = (
    *("IS NULL", "IS NOT NULL", "IS TRUE", "IS NOT FALSE", "ISNULL", "NOTNULL", "::text", "::int"),
    *("BETWEEN {} AND {}", "NOT BETWEEN {} AND {}", "IN ({}, {})", "NOT IN ({})", "LIKE {} ESCAPE '!'"),
)
_NUMBERS: Final = ("n1", "n2", "1", "2.5", "- n1", "-1", "length(t1)")
_TEXTS: Final = ("t1", "t2", "'a'", "'b%'", "upper(t1)")
_TRUTHS: Final = ("b1", "b2", "TRUE", "NOT b1", "n1 = 3", "t1 = t2")
_POOLS: Final = (_NUMBERS, _TRUTHS, _NUMBERS + _TEXTS, _TRUTHS + _NUMBERS, _TRUTHS + _TEXTS)


def flat(random: Random) -> str:
    """Some operands with operators between and after them, without a parenthesis of grouping."""
    pool = random.choice(_POOLS)
    operands = [_operand(random, pool) for _ in range(random.randint(2, 5))]
    joined = operands[0]
    for operand in operands[1:]:
        joined += f" {random.choice(_INFIX)} {operand}"
    return f"NOT {joined}" if random.random() < 0.1 else joined


def _operand(random: Random, pool: tuple[str, ...]) -> str:
    text = random.choice(pool)
    while random.random() < 0.25:
        text += " " + random.choice(_POSTFIX).format(random.choice(pool), random.choice(pool))
    return text


def compiles(text: str) -> bool:
    try:
        compile_expression(text, COLUMNS)
    except ExpressionError:
        return False
    return True


@settings(max_examples=max(EXAMPLES // 8, 1))
@given(seed=st.integers(0, 2**32))
def test_expressions_without_parentheses_group_as_in_postgres(oracle: Oracle, seed: int) -> None:
    """Postgres refuses some that are read here: what it has no grouping for may have any."""
    random = Random(seed)
    read = [text for text in (flat(random) for _ in range(_EXPRESSIONS)) if compiles(text)]
    oracle.fill([SAMPLE])
    theirs = oracle.outcomes(read)
    ours = {text: outcome(text, SAMPLE) for text in read}
    both = [
        (text, ours[text], theirs[number, 0])
        for number, text in enumerate(read)
        if ours[text].state is None and theirs[number, 0].state is None
    ]
    assert not [(text, here, there) for text, here, there in both if here.value != there.value]
