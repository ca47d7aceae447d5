"""What the rest of Orgstream sees of an expression: compiled to run here, or rendered to run in Postgres."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from stages.expression.compiler.coercion import coerce
from stages.expression.compiler.compile import Compiler
from stages.expression.errors import ExpressionError, Refusal
from stages.expression.syntax.lower import lower
from stages.expression.syntax.parse import parse
from stages.expression.syntax.render import render
from stages.expression.syntax.tree import ColumnName, Node
from stages.expression.types import Evaluate, SqlType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stages.expression.compiler.operand import Operand


class Expression(msgspec.Struct, frozen=True):
    """A compiled expression.

    `evaluate` takes a row with at least `columns` as keys and raises EvaluationError where the expression has
    no value for it. `column` is the column's name where the expression is nothing else, `literal` the text
    where it is one text literal, whose type is for its surroundings to choose; `untyped` says so of NULL too.
    """

    text: str
    type: SqlType
    columns: frozenset[str]
    evaluate: Evaluate
    column: str | None = None
    literal: str | None = None
    untyped: bool = False


def compile_expression(text: str, columns: Mapping[str, SqlType]) -> Expression:
    """Compile `text` over the named and typed `columns`. Raises ExpressionError."""
    with _placed(text):
        node = _read(text)
        compiler = Compiler(columns)
        operand = compiler.column(node) if isinstance(node, ColumnName) else compiler.compile(node)
        return _expression(text, node, operand)


def compile_condition(text: str, columns: Mapping[str, SqlType]) -> Expression:
    """Compile `text`, which must be BOOLEAN; it evaluates to True, False or None. Raises ExpressionError."""
    with _placed(text):
        node = _read(text)
        return _expression(text, node, coerce(Compiler(columns).compile(node), SqlType.BOOLEAN))


def to_sql(expression_text: str) -> str:
    """The expression in Postgres's spelling, column names quoted. Raises ExpressionError.

    It means the same under TimeZone UTC, but that Postgres computes with integers in the columns' own width.
    """
    with _placed(expression_text):
        return render(_read(expression_text))


@lru_cache(maxsize=2_048)
def _read(text: str) -> Node:
    """The tree of `text`. Parsing takes most of a compilation, and many rules say the same."""
    return lower(parse(text))


@contextmanager
def _placed(text: str) -> Iterator[None]:
    """Turn a refusal within into an ExpressionError with line and column."""
    try:
        yield
    except Refusal as refusal:
        raise refusal.placed(text) from None
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply", 1, 1) from None


def _expression(text: str, node: Node, operand: Operand) -> Expression:
    untyped = operand.type is None
    return Expression(
        text=text,
        type=operand.type or SqlType.TEXT,
        columns=operand.columns,
        evaluate=operand.evaluate,
        column=node.name if isinstance(node, ColumnName) else None,
        literal=operand.value if untyped else None,
        untyped=untyped,
    )
