"""Functions, casts, CASE and interval literals of sqlglot's tree as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from sqlglot import exp

from stages.expression.errors import Refusal
from stages.expression.syntax.interval import interval_literal
from stages.expression.syntax.places import place
from stages.expression.syntax.signatures import check_call
from stages.expression.syntax.tree import Call, Case, Cast, Node, TextLiteral
from stages.expression.syntax.type_names import INTERVAL, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    Down: TypeAlias = Callable[[exp.Expr], Node]

_ALIASES: Final = {
    "character_length": "length",
    "char_length": "length",
    "substr": "substring",
    "ceiling": "ceil",
}
_TRIMS: Final = {"LEADING": "ltrim", "TRAILING": "rtrim"}


def _case(tree: exp.Expr, down: Down) -> Node:
    subject, default = tree.this, tree.args.get("default")
    branches = tuple((down(arm.this), down(arm.args["true"])) for arm in tree.args["ifs"])
    return Case(
        subject=down(subject) if subject else None,
        branches=branches,
        default=down(default) if default else None,
        at=place(tree),
    )


def _cast(tree: exp.Expr, down: Down) -> Node:
    operand = down(tree.this)
    name = type_name(tree.args["to"], place(tree))
    if name.name != INTERVAL:
        return Cast(operand, name, place(tree))
    if not isinstance(operand, TextLiteral):
        raise Refusal(place(tree), "an interval is written as a literal: INTERVAL '1 day'")
    return interval_literal(operand.text, operand.at)


def _interval(tree: exp.Expr, _: Down) -> Node:
    unit, quantity = tree.args.get("unit"), tree.this
    if not isinstance(quantity, exp.Literal) or not (unit is None or isinstance(unit, exp.Var)):
        raise Refusal(place(tree), "an interval is written as a literal: INTERVAL '1 day'")
    return interval_literal(f"{quantity.name} {unit.name if unit else ''}", place(tree))


def _call(tree: exp.Expr, down: Down) -> Node:
    if not isinstance(tree.this, str):
        raise Refusal(place(tree), "a function's name stands without quotes")
    name = tree.this.lower()
    arguments = tuple(down(argument) for argument in tree.expressions)
    return _checked(Call(_ALIASES.get(name, name), arguments, place(tree)))


def _checked(call: Call) -> Call:
    check_call(call)
    return call


def _extract(tree: exp.Expr, down: Down) -> Node:
    part = TextLiteral(tree.this.name, place(tree))
    return _checked(Call("extract", (part, down(tree.expression)), place(tree)))


def _position(tree: exp.Expr, down: Down) -> Node:
    return _checked(Call("strpos", (down(tree.this), down(tree.args["substr"])), place(tree)))


def _substring(tree: exp.Expr, down: Down) -> Node:
    parts = (tree.this, tree.args.get("start"), tree.args.get("length"))
    arguments = tuple(down(part) for part in parts if part is not None)
    return _checked(Call("substring", arguments, place(tree)))


def _trim(tree: exp.Expr, down: Down) -> Node:
    name = _TRIMS.get(tree.args.get("position") or "", "btrim")
    parts = (tree.this, tree.args.get("expression"))
    arguments = tuple(down(part) for part in parts if part is not None)
    return _checked(Call(name, arguments, place(tree)))


FORMS: Final[dict[type[exp.Expr], Callable[[exp.Expr, Down], Node]]] = {
    exp.Case: _case,
    exp.Cast: _cast,
    exp.Interval: _interval,
    exp.Anonymous: _call,
    exp.Extract: _extract,
    exp.StrPosition: _position,
    exp.Substring: _substring,
    exp.Trim: _trim,
}
