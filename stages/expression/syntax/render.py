"""From our tree to SQL for Postgres, every operator in parentheses so that nothing hangs on precedence."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Final

from stages.expression.syntax.signatures import COUNT, SIGNATURES
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
    TypeName,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_POSTFIX: Final = {"is null", "is true", "is false"}


@singledispatch
def render(node: Node) -> str:
    """The SQL of `node`."""
    raise AssertionError(f"no SQL for {type(node).__name__}")


@render.register
def _column(node: ColumnName) -> str:
    return '"' + node.name.replace('"', '""') + '"'


@render.register
def _text(node: TextLiteral) -> str:
    quoted = node.text.replace("'", "''")
    if "\\" not in quoted:
        return f"'{quoted}'"
    doubled = quoted.replace("\\", "\\\\")
    return f"E'{doubled}'"  # reads the same whatever standard_conforming_strings says


@render.register
def _number(node: NumberLiteral) -> str:
    return node.text


@render.register
def _truth(node: TruthLiteral) -> str:
    return "TRUE" if node.value else "FALSE"


@render.register
def _null(_: NullLiteral) -> str:
    return "NULL"


@render.register
def _interval(node: IntervalLiteral) -> str:
    return f"INTERVAL '{node.months} months {node.days} days {node.microseconds} microseconds'"


@render.register
def _cast(node: Cast) -> str:
    return f"CAST({render(node.operand)} AS {_type(node.type)})"


def _type(name: TypeName) -> str:
    modifiers = ", ".join(map(str, name.modifiers))
    return f"{name.name}({modifiers})" if modifiers else name.name


@render.register
def _operation(node: Operation) -> str:
    name = node.name.upper()
    operands = [render(operand) for operand in node.operands]
    if len(operands) == 1:
        inner = f"{operands[0]} {name}" if node.name in _POSTFIX else f"{name} {operands[0]}"
    elif node.name == "between":
        inner = f"{operands[0]} BETWEEN {operands[1]} AND {operands[2]}"
    elif node.name == "in":
        inner = f"{operands[0]} IN ({', '.join(operands[1:])})"
    elif node.name in {"like", "ilike"} and len(operands) == 3:
        inner = f"{operands[0]} {name} {operands[1]} ESCAPE {operands[2]}"
    else:
        inner = f" {name} ".join(operands)
    return f"({inner})"


@render.register
def _call(node: Call) -> str:
    name = node.name.upper()
    if node.name == "extract":
        return f"EXTRACT({render(node.arguments[0])} FROM {render(node.arguments[1])})"
    return f"{name}({', '.join(_arguments(node))})"


def _arguments(node: Call) -> Sequence[str]:
    """The arguments, those that Postgres wants as `integer` cast to it, for a column may be `bigint`."""
    signature = SIGNATURES.get(node.name)
    kinds = signature.parameters if signature else ()
    arguments: list[str] = []
    for index, argument in enumerate(node.arguments):
        text = render(argument)
        counted = index < len(kinds) and kinds[index] is COUNT
        arguments.append(f"CAST({text} AS integer)" if counted else text)
    return arguments


@render.register
def _case(node: Case) -> str:
    subject = f" {render(node.subject)}" if node.subject else ""
    branches = "".join(f" WHEN {render(when)} THEN {render(then)}" for when, then in node.branches)
    default = f" ELSE {render(node.default)}" if node.default else ""
    return f"CASE{subject}{branches}{default} END"
