"""The types a cast can name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlglot import exp

from stages.expression.errors import Refusal
from stages.expression.syntax.tree import TypeName

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERVAL: Final = "interval"

_NAMES: Final = {
    exp.DType.TEXT: "text",
    exp.DType.VARCHAR: "varchar",
    exp.DType.BOOLEAN: "boolean",
    exp.DType.SMALLINT: "smallint",
    exp.DType.INT: "integer",
    exp.DType.BIGINT: "bigint",
    exp.DType.DECIMAL: "numeric",
    exp.DType.DOUBLE: "double precision",
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMP: "timestamp",
    exp.DType.TIMESTAMPTZ: "timestamptz",
    exp.DType.INTERVAL: INTERVAL,
}
_KNOWN: Final = "known are " + ", ".join(name for name in _NAMES.values() if name != INTERVAL)
_LIMITS: Final = {"varchar": ((1, 10_485_760),), "numeric": ((1, 1_000), (0, 1_000))}


def type_name(tree: exp.Expr, at: int) -> TypeName:
    """The type that a cast at offset `at` names. Raises Refusal where the language has no such type."""
    kind = tree.this if isinstance(tree, exp.DataType) else None
    name = _NAMES.get(kind) if isinstance(kind, exp.DType) else None
    if name is None:
        raise Refusal(at, "a cast to this type is not part of the rule language", _KNOWN)
    return TypeName(name, _modifiers(name, tree.expressions, at))


def _modifiers(name: str, trees: Sequence[exp.Expr], at: int) -> tuple[int, ...]:
    limits = _LIMITS.get(name, ())
    if len(trees) > len(limits):
        raise Refusal(at, f"the type {name} takes no modifier in the rule language")
    found: list[int] = []
    for tree, (low, high) in zip(trees, limits, strict=False):
        text = tree.this.name
        if not text.isdecimal() or not low <= int(text) <= high:
            raise Refusal(at, f"the modifiers of {name} are numbers between {low} and {high}")
        found.append(int(text))
    return tuple(found)
