"""From our tree to closures, every part specialised by type once, here."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from stages.expression.compiler import comparison, conditional, logic, membership
from stages.expression.compiler.arithmetic import SIGNS, arithmetic, negative, with_interval
from stages.expression.compiler.calls import call
from stages.expression.compiler.casts import cast
from stages.expression.compiler.columns import column
from stages.expression.compiler.date_functions import at_time_zone
from stages.expression.compiler.like import like
from stages.expression.compiler.operand import Operand, constant
from stages.expression.compiler.text_functions import joined
from stages.expression.errors import Refusal
from stages.expression.syntax.tree import (
    Call,
    Case,
    Cast,
    ColumnName,
    IntervalLiteral,
    Node,
    NullLiteral,
    NumberLiteral,
    Operation,
    TextLiteral,
    TruthLiteral,
)
from stages.expression.types import SqlType
from stages.expression.values.integer import BOUNDS
from stages.expression.values.text_input import read_numeric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Compiler:
    """Compiles trees over one set of columns. Every method raises Refusal for what does not fit together."""

    def __init__(self, columns: Mapping[str, SqlType]) -> None:
        self._columns = columns

    def column(self, node: ColumnName) -> Operand:
        """A column by itself, which may be of any type."""
        return column(node, self._columns)

    def compile(self, node: Node) -> Operand:
        """The operand that computes `node`, whose type is never OTHER."""
        operand = self._compile(node)
        if operand.type is SqlType.OTHER:
            name = next(iter(operand.columns))
            raise Refusal(
                node.at, f"the type of column {name} can only be copied as it is, not computed with"
            )
        return operand

    def _compile(self, node: Node) -> Operand:
        if isinstance(node, ColumnName):
            return self.column(node)
        if isinstance(node, Operation):
            return self._operation(node)
        if isinstance(node, Call):
            return call(node.name, self._all(node.arguments), node.at)
        if isinstance(node, Cast):
            return cast(self.compile(node.operand), node.type, node.at)
        if isinstance(node, Case):
            return self._case(node)
        return _literal(node)

    def _all(self, nodes: Sequence[Node]) -> list[Operand]:
        return [self.compile(node) for node in nodes]

    def _case(self, node: Case) -> Operand:
        subject = self.compile(node.subject) if node.subject else None
        branches = [(self.compile(when), self.compile(then)) for when, then in node.branches]
        default = self.compile(node.default) if node.default else None
        return conditional.case(subject, branches, default, node.at)

    def _operation(self, node: Operation) -> Operand:
        name, at = node.name, node.at
        if name in SIGNS and any(isinstance(operand, IntervalLiteral) for operand in node.operands):
            return self._with_interval(node)
        operands = self._all(node.operands)
        if len(operands) == 1:
            return negative(operands[0], at) if name == "-" else logic.PREDICATES[name](operands[0], at)
        many = _MANY.get(name)
        return many(operands, at) if many else self._binary(name, operands, at)

    def _binary(self, name: str, operands: Sequence[Operand], at: int) -> Operand:
        left, right = operands
        if name in comparison.SIGNS:
            return comparison.comparison(name, left, right, at)
        if name == "at time zone":
            return at_time_zone(left, right.value, at)
        return arithmetic(name, left, right, at)

    def _with_interval(self, node: Operation) -> Operand:
        left, right, sign = *node.operands, node.name
        if sign == "+" and isinstance(left, IntervalLiteral):
            left, right = right, left
        if sign not in {"+", "-"} or not isinstance(right, IntervalLiteral):
            raise Refusal(node.at, "an interval can only be added to or taken from a date or timestamp")
        return with_interval(sign, self.compile(left), right, node.at)


_MANY: Final[dict[str, Callable[[Sequence[Operand], int], Operand]]] = {
    "and": lambda parts, at: logic.connective("and", parts, at),
    "or": lambda parts, at: logic.connective("or", parts, at),
    "||": joined,
    "in": lambda parts, at: membership.membership(parts[0], parts[1:], at),
    "between": lambda parts, at: membership.between(parts[0], parts[1], parts[2], at),
    "like": lambda parts, at: like(parts, at, fold=False),
    "ilike": lambda parts, at: like(parts, at, fold=True),
    "is distinct from": lambda parts, at: comparison.distinct(parts[0], parts[1], at, negated=False),
    "is not distinct from": lambda parts, at: comparison.distinct(parts[0], parts[1], at, negated=True),
}


def _literal(node: TextLiteral | NumberLiteral | TruthLiteral | NullLiteral | IntervalLiteral) -> Operand:
    if isinstance(node, TextLiteral):
        return constant(None, node.text, node.at)
    if isinstance(node, NumberLiteral):
        return _number(node)
    if isinstance(node, TruthLiteral):
        return constant(SqlType.BOOLEAN, node.value, node.at)
    if isinstance(node, NullLiteral):
        return constant(None, None, node.at)
    raise Refusal(node.at, "an interval can only be added to or taken from a date or timestamp")


def _number(node: NumberLiteral) -> Operand:
    """A number without point or exponent is an integer where it fits, else a numeric."""
    if node.text.isdecimal():
        value = int(node.text)
        if value <= BOUNDS["bigint"][1]:
            return constant(SqlType.INTEGER, value, node.at)
        return constant(SqlType.NUMERIC, Decimal(value), node.at)
    return constant(SqlType.NUMERIC, read_numeric(node.text), node.at)
