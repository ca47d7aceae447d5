"""The expressions of a rule against its source's columns: whether they compile, and fit where they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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


_SHORT: Final = 40


class Expressions:
    """Compiles the expressions of one rule; what is wrong with them becomes faults at their places."""

    def __init__(self, source: TableFacts, rule: str, faults: list[Fault]) -> None:
        self._formatted = {column.name: column.type for column in source.columns}
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
            message = f"{key}: `values` chooses by a text, and the expression gives {self._type(expression)}"
            self._fault(text, message, _cast(text, "text"))
        for value in values.values() if into else ():
            self._check_literal(key, value, value.value, into)

    def _check_assignment(self, key: str, text: Text, expression: Expression, into: Column) -> None:
        copied = self._formatted.get(expression.column or "")
        if expression.literal is not None:
            self._check_literal(key, text, expression.literal, into)
        elif expression.untyped:
            if not into.nullable:
                self._fault(text, f"{key}: `{into.name}` cannot be NULL", "give it a value")
        elif assignment(expression.type, into.type, copied) is None:
            found = self._type(expression)
            message = f"{key}: the expression gives {found}, and there is no assignment cast to {into.type}"
            self._fault(text, message, _cast(text, into.type))

    def _check_literal(self, key: str, text: Text, literal: str, into: Column | None) -> None:
        try:
            if into is not None:
                assign_literal(literal, into.type)
        except EvaluationError as error:
            message = f"{key}: '{literal}' cannot go into {into.type if into else ''}: {error.message}"
            self._fault(text, message, None)

    def _type(self, expression: Expression) -> str:
        """The expression's type, for people: a column's own."""
        return self._formatted.get(expression.column or "", expression.type.value)

    def _refuse(self, key: str, text: Text, error: ExpressionError) -> None:
        place = text.at(error.line, error.column)
        self._faults.append(Fault(place, f"{key}: {error.message}", self._rule, error.suggestion))

    def _fault(self, text: Text, message: str, suggestion: str | None) -> None:
        self._faults.append(Fault(text.place, message, self._rule, suggestion))


def _cast(text: Text, type_: str) -> str:
    """Advice to cast an expression, which stands in it where it is short."""
    is_short = len(text.value) <= _SHORT and "\n" not in text.value
    return f"write CAST({text.value if is_short else '…'} AS {type_})"
