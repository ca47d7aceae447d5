"""Operators and predicates of sqlglot's tree as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from sqlglot import exp

from stages.expression.errors import Refusal
from stages.expression.syntax.places import place
from stages.expression.syntax.tree import Node, Operation, TextLiteral
from stages.expression.values.zones import zone

if TYPE_CHECKING:
    from collections.abc import Callable

    Down: TypeAlias = Callable[[exp.Expr], Node]

_COMPARISONS: Final[dict[type[exp.Expr], str]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_DISTINCT: Final[dict[type[exp.Expr], str]] = {
    exp.NullSafeEQ: "is not distinct from",
    exp.NullSafeNEQ: "is distinct from",
}
_TIGHT: Final[dict[type[exp.Expr], str]] = {  # bind tighter than NOT
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.Like: "like",
    exp.ILike: "ilike",
}
_CHAINS: Final[dict[type[exp.Expr], str]] = {exp.And: "and", exp.Or: "or", exp.DPipe: "||"}


def _chain(tree: exp.Expr, down: Down) -> Node:
    """A chain of one operator as one node with many operands, so that a long chain is no deep tree."""
    kind = type(tree)
    parts: list[exp.Expr] = []
    rest = tree
    while type(rest) is kind:
        parts.append(rest.args["expression"])
        rest = rest.this
    parts.append(rest)
    if kind is exp.DPipe:
        _check_not(*parts)
    return Operation(_CHAINS[kind], tuple(down(part) for part in reversed(parts)), place(tree))


def _check_not(*operands: exp.Expr) -> None:
    """Refuse NOT before what binds tighter, which sqlglot and Postgres group differently."""
    for operand in operands:
        if isinstance(operand, exp.Not):
            raise Refusal(place(operand), "NOT needs parentheses beside another operator", "write NOT (…)")


def _tight(tree: exp.Expr, down: Down) -> Node:
    left, right = tree.this, tree.args["expression"]
    _check_not(left, right)
    return _negated(tree, Operation(_TIGHT[type(tree)], (down(left), down(right)), place(tree)))


def _distinct(tree: exp.Expr, down: Down) -> Node:
    operands = (down(tree.this), down(tree.args["expression"]))
    return Operation(_DISTINCT[type(tree)], operands, place(tree))


def _comparison(tree: exp.Expr, down: Down) -> Node:
    left, right = tree.this, tree.args["expression"]
    for side in (left, right):
        if type(side) in _COMPARISONS:
            raise Refusal(place(side), "comparisons in a row need parentheses", "write (a = b) = c, or AND")
    return Operation(_COMPARISONS[type(tree)], (down(left), down(right)), place(tree))


def _negated(tree: exp.Expr, node: Operation) -> Node:
    return Operation("not", (node,), node.at) if tree.args.get("negate") else node


def _is(tree: exp.Expr, down: Down) -> Node:
    right = tree.args["expression"]
    if isinstance(right, exp.Null):
        name = "is null"
    elif isinstance(right, exp.Boolean):
        name = "is true" if right.this else "is false"
    else:
        raise Refusal(place(tree), "IS is followed by NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM")
    return _negated(tree, Operation(name, (down(tree.this),), place(tree)))


def _in(tree: exp.Expr, down: Down) -> Node:
    items = tree.args.get("expressions")
    if not items:
        raise Refusal(place(tree), "IN is followed by a list: IN ('a', 'b')")
    _check_not(tree.this)
    return Operation("in", tuple(down(item) for item in (tree.this, *items)), place(tree))


def _between(tree: exp.Expr, down: Down) -> Node:
    if tree.args.get("symmetric"):
        raise Refusal(place(tree), "BETWEEN SYMMETRIC is not part of the rule language")
    parts = (tree.this, tree.args["low"], tree.args["high"])
    _check_not(*parts)
    return Operation("between", tuple(down(part) for part in parts), place(tree))


def _escape(tree: exp.Expr, down: Down) -> Node:
    like, character = tree.this, down(tree.args["expression"])
    if not isinstance(like, exp.Like | exp.ILike):
        raise Refusal(place(tree), "ESCAPE follows LIKE or ILIKE")
    if not isinstance(character, TextLiteral) or len(character.text) > 1:
        raise Refusal(place(tree), "ESCAPE is followed by one character in quotes, or none")
    operands = (down(like.this), down(like.args["expression"]), character)
    return _negated(like, Operation(_TIGHT[type(like)], operands, place(tree)))


def _time_zone(tree: exp.Expr, down: Down) -> Node:
    at, name = place(tree), down(tree.args["zone"])
    if not isinstance(name, TextLiteral):
        raise Refusal(at, "a time zone is written out: AT TIME ZONE 'Europe/Berlin'")
    zone(name.text, at)
    return Operation("at time zone", (down(tree.this), name), at)


def _unary(name: str) -> Callable[[exp.Expr, Down], Node]:
    return lambda tree, down: Operation(name, (down(tree.this),), place(tree))


OPERATORS: Final[dict[type[exp.Expr], Callable[[exp.Expr, Down], Node]]] = {
    **dict.fromkeys(_CHAINS, _chain),
    **dict.fromkeys(_TIGHT, _tight),
    **dict.fromkeys(_DISTINCT, _distinct),
    **dict.fromkeys(_COMPARISONS, _comparison),
    exp.Not: _unary("not"),
    exp.Neg: _unary("-"),
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.Escape: _escape,
    exp.AtTimeZone: _time_zone,
}
