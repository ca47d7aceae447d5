"""The expressions of a rule against its source's columns: whether they compile, and fit where they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.expression import (
    EvaluationError,
    ExpressionError,
    SqlType,
    assign_literal,
    assignment,
    compile_condition,
    compile_expression,
    sql_type,
)
from stages.rules.place import Fault, Text

if TYPE_CHECKING:
    from stages.expression import Expression
    from stages.rules.facts import TableFacts
    from stages.rules.model import Column


class Expressions:
    """Compiles the expressions of one rule; what is wrong with them becomes faults at their places."""

    def __init__(self, source: TableFacts, rule: str, faults: list[Fault]) -> None:
        self._types = {column.name: sql_type(column.type) for column in source.columns}
        self._rule = rule
        self._faults = faults

    def condition(self, key: str, text: Text) -> Expression | None:
        """A compiled condition."""
        try:
            return compile_condition(text.value, self._types)
        except ExpressionError as error:
            self._refuse(key, text, error)
            return None

    def value(self, key: str, text: Text, into: Column | None) -> Expression | None:
        """A compiled expression that may be assigned to the target column `into`, where that is known."""
        try:
            expression = compile_expression(text.value, self._types)
        except ExpressionError as error:
            self._refuse(key, text, error)
            return None
        if into is not None:
            self._check_assignment(key, text, expression, into)
        return expression

    def translated(self, key: str, text: Text, values: dict[str, Text], into: Column | None) -> None:
        """A compiled expression whose text chooses among `values`, each of which goes into `into`."""
        expression = self.value(key, text, None)
        if expression is not None and expression.type is not SqlType.TEXT:
            found = expression.type.value
            advice = f"write CAST({text.value} AS text)"
            self._fault(text, f"{key}: `values` chooses by a text, and the expression gives {found}", advice)
        for value in values.values() if into else ():
            self._check_literal(key, value, value.value, into)

    def _check_assignment(self, key: str, text: Text, expression: Expression, into: Column) -> None:
        if expression.literal is not None:
            self._check_literal(key, text, expression.literal, into)
        elif assignment(expression.type, into.type) is None:
            found = expression.type.value
            message = f"{key}: the expression gives {found}, and there is no assignment cast to {into.type}"
            self._fault(text, message, f"write CAST({text.value} AS {into.type})")

    def _check_literal(self, key: str, text: Text, literal: str, into: Column | None) -> None:
        try:
            if into is not None:
                assign_literal(literal, into.type)
        except EvaluationError as error:
            self._fault(text, f"{key}: '{literal}' is no {into.type if into else ''}: {error}", None)

    def _refuse(self, key: str, text: Text, error: ExpressionError) -> None:
        place = text.at(error.line, error.column)
        self._faults.append(Fault(place, f"{key}: {error.message}", self._rule, error.suggestion))

    def _fault(self, text: Text, message: str, suggestion: str | None) -> None:
        self._faults.append(Fault(text.place, message, self._rule, suggestion))
