"""The rule language: SQL expressions over the columns of one row, compiled once and run without a database.

What an expression means is what Postgres makes of it under TimeZone UTC, DateStyle ISO and a UTF-8 database,
texts compared by code point (collation "C"). `docs/expressions.md` is the reference.
"""

from __future__ import annotations

from stages.expression.assignment import assign_literal, assignment, assignment_of, unchanged
from stages.expression.errors import EvaluationError, ExpressionError
from stages.expression.expression import Expression, compile_condition, compile_expression, to_sql
from stages.expression.types import Evaluate, SqlType, Value, sql_type

__all__ = [
    "Evaluate",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "SqlType",
    "Value",
    "assign_literal",
    "assignment",
    "assignment_of",
    "compile_condition",
    "compile_expression",
    "sql_type",
    "to_sql",
    "unchanged",
]
