"""Columns that rules both ways do not give back as they took them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stages.expression import ExpressionError, compile_expression, sql_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stages.expression import Expression
    from stages.rules.model import Mapping, Rule, Table, TableName


class Rewrite(msgspec.Struct, frozen=True):
    """A column that one rule computes from another table's, and another rule computes back."""

    column: str  # as org.table.column
    way: str  # its expression
    back: str  # as org.table.column = expression


def rewrites(there: Iterable[Rule], back: Iterable[Rule], tables: Iterable[Table]) -> Iterator[Rewrite]:
    """The columns that do not come back as they went, between the rules of one way and of the other."""
    known = {table.name: table for table in tables}
    returns = list(back)
    for rule in there:
        for other in returns:
            yield from _between(rule, other, known)


def _between(rule: Rule, other: Rule, tables: dict[TableName, Table]) -> Iterator[Rewrite]:
    for column, way in rule.map.items():
        read = _compiled(way, tables.get(rule.source))
        for source, back in other.map.items():
            returned = _compiled(back, tables.get(other.source))
            if read is None or returned is None:
                continue
            goes_round = source in read.columns and column in returned.columns
            if goes_round and not (_is_inverse(way, back) and read.column and returned.column):
                again = f"{rule.source}.{source} = {_said(back)}"
                yield Rewrite(f"{rule.target}.{column}", _said(way), again)


def _compiled(mapping: Mapping, table: Table | None) -> Expression | None:
    if mapping.expr is None or table is None:
        return None
    try:
        return compile_expression(mapping.expr, {c.name: sql_type(c.type) for c in table.columns})
    except ExpressionError:  # the file was checked; the table may have changed since
        return None


def _is_inverse(way: Mapping, back: Mapping) -> bool:
    """Whether the value tables undo each other; mostly there are none."""
    there, again = way.values or {}, back.values or {}
    return {value: key for key, value in there.items()} == again and len(there) == len(again)


def _said(mapping: Mapping) -> str:
    return f"{mapping.expr}{' through `values`' if mapping.values else ''}"
