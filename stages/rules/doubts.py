"""What is no fault and may yet become dead letters: copies into narrower columns, NULLs into NOT NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stages.expression import SqlType, compile_expression, sql_type
from stages.expression.types import modifiers, unmodified
from stages.rules.place import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stages.rules.declared import DeclaredRule
    from stages.rules.facts import TableFacts
    from stages.rules.model import Column
    from stages.rules.place import Text

_WIDTHS: Final = {"smallint": 2, "integer": 4, "bigint": 8}
_WIDEST: Final = 1 << 30


def doubts(rule: DeclaredRule, source: TableFacts, target: TableFacts) -> Iterator[Fault]:
    """Warnings about columns of a valid rule that are copied as they are."""
    types = {column.name: sql_type(column.type) for column in source.columns}
    copied: list[tuple[str, Text]] = list((rule.key or {}).items())
    for name, mapping in (rule.map or {}).items():
        if mapping.expr is not None and mapping.values is None and name not in (rule.key or {}):
            copied.append((name, mapping.expr))
    for name, text in copied:
        column = compile_expression(text.value, types).column
        read, into = source.column(column or ""), target.column(name)
        if read is not None and into is not None:
            yield from _of_width(rule, text, read, into)
            if read.nullable and not into.nullable and name not in (rule.key or {}):
                message = (
                    f"`{name}` cannot be NULL, and `{read.name}` can: such a record becomes a dead letter"
                )
                yield Fault(text.place, message, rule.label, f"for example COALESCE({text.value}, …)")


def _of_width(rule: DeclaredRule, text: Text, read: Column, into: Column) -> Iterator[Fault]:
    if sql_type(read.type) is not sql_type(into.type) or _room(into.type) >= _room(read.type):
        return
    message = (
        f"`{into.name}` is {into.type}, and `{read.name}` {read.type}: "
        "a value that does not fit becomes a dead letter"
    )
    is_text = sql_type(into.type) is SqlType.TEXT
    advice = f"cut it: left({text.value}, {modifiers(into.type)[0]})" if is_text else None
    yield Fault(text.place, message, rule.label, advice)


def _room(type_: str) -> int:
    """How much fits into a column of this type; what has no limit that we know of takes everything."""
    base, limits = unmodified(type_), modifiers(type_)
    if base in _WIDTHS:
        return _WIDTHS[base]
    if base == "character varying" and limits:
        return limits[0]
    if base == "numeric" and limits:
        return limits[0] - (limits[1] if len(limits) > 1 else 0)
    return _WIDEST
