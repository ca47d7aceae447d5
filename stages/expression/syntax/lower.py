"""From sqlglot's tree to ours: the allow-list of node types. What is not named here is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlglot import exp

from stages.expression.errors import Refusal
from stages.expression.syntax.forms import FORMS
from stages.expression.syntax.operators import OPERATORS
from stages.expression.syntax.places import place
from stages.expression.syntax.signatures import reserved
from stages.expression.syntax.tree import (
    ColumnName,
    Node,
    NullLiteral,
    NumberLiteral,
    TextLiteral,
    TruthLiteral,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Down: TypeAlias = Callable[[exp.Expr], Node]

MAX_DEPTH: Final = 60
"""Operators and functions within one another."""
MAX_EXPONENT: Final = 1_000
"""Of a number written with one."""

_NUMBER: Final = re.compile(r"[0-9]+\.?[0-9]*(?:e([+-]?[0-9]{1,9}))?", re.IGNORECASE)

_QUERY: Final = "a query cannot stand here: an expression reads the columns of one row"
_LIST: Final = "a list can only stand after IN"
_REASONS: Final = {
    "subquery": _QUERY,
    "select": _QUERY,
    "exists": _QUERY,
    "similarto": "there are no regular expressions; use LIKE",
    "array": _LIST,
    "tuple": _LIST,
    "bracket": "there is no subscript in the rule language",
    "star": "* is not a value",
    "collate": "COLLATE is not part of the rule language: texts compare by code point",
    "concat": "two texts stand side by side; write || between them",
}


def lower(tree: exp.Expr, depth: int = 0) -> Node:
    """Our tree of sqlglot's `tree`. Raises Refusal at the first node outside the language."""
    if depth > MAX_DEPTH:
        raise Refusal(place(tree), "the expression is nested too deeply")
    reader = _READERS.get(type(tree))
    if reader is None:
        reason = _REASONS.get(tree.key, f"{tree.key.upper()} is not part of the rule language")
        raise Refusal(place(tree), reason)
    return reader(tree, lambda child: lower(child, depth + 1))


def _column(tree: exp.Expr, _: Down) -> Node:
    identifier, at = tree.this, place(tree)
    if not isinstance(identifier, exp.Identifier):
        raise Refusal(at, "* is not a value")
    if identifier.args.get("quoted"):
        return ColumnName(identifier.name, at, quoted=True)
    name = identifier.name.lower()
    if reason := reserved(name):
        raise Refusal(at, reason, f'a column of this name is written "{name}"')
    return ColumnName(name, at)


def _literal(tree: exp.Expr, _: Down) -> Node:
    text, at = tree.name, place(tree)
    if tree.args.get("is_string"):
        return TextLiteral(text, at)
    match = _NUMBER.fullmatch(text)
    if match is None or abs(int(match[1] or 0)) > MAX_EXPONENT:
        raise Refusal(at, f"{text} is no number of the rule language")
    return NumberLiteral(text, at)


_READERS: Final[dict[type[exp.Expr], Callable[[exp.Expr, Down], Node]]] = {
    **OPERATORS,
    **FORMS,
    exp.Paren: lambda tree, down: down(tree.this),
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: lambda tree, _: TruthLiteral(bool(tree.this), place(tree)),
    exp.Null: lambda tree, _: NullLiteral(place(tree)),
}
