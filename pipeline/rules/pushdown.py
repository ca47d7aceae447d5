"""The expressions of rules as SQL, to be run by Postgres over a whole source table.

What `to_sql` gives was parsed and written anew from the nodes that the rule language allows; types are
format_type()'s own text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql

from stages.expression import to_sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stages.rules.model import Mapping as MappedColumn
    from stages.rules.model import Rule

_WITHOUT_EQUALITY: Final = frozenset({"json", "xml", "point", "polygon", "hstore"})


def meets(rule: Rule | None) -> sql.Composable:
    """Whether a source row meets the rule: true or false. None, or switched off, takes no row."""
    if rule is None or not rule.enabled:
        return sql.SQL("false")
    return sql.SQL("true") if rule.when is None else sql.SQL("({}) IS TRUE").format(expression(rule.when))


def expression(text: str) -> sql.SQL:
    """An expression on the source row."""
    return sql.SQL(to_sql(text))


def mapped(mapping: MappedColumn, type_: str) -> sql.Composable:
    """What a mapped column of this type receives; NULL where the change would become a dead letter."""
    if mapping.expr is None:
        return _cast(sql.SQL("NULL"), type_)
    found = expression(mapping.expr)
    if mapping.values is None:
        return _cast(found, type_)
    branches = [
        sql.SQL("WHEN ({}) = {} THEN {}").format(
            found, sql.Literal(given), _cast(sql.Literal(written), type_)
        )
        for given, written in mapping.values.items()
    ]
    default = sql.SQL("NULL") if mapping.default is None else expression(mapping.default)
    return sql.SQL("CASE WHEN ({}) IS NULL THEN NULL {} ELSE {} END").format(
        found, sql.SQL(" ").join(branches), _cast(default, type_)
    )


def differs(before: Rule, after: Rule, types: Mapping[str, str]) -> sql.Composable:
    """Whether two versions of a rule write different values for a source row; `types` are the target's."""
    tests = [
        _distinct(
            _cast(expression(before.key[name]), types[name]),
            _cast(expression(text), types[name]),
            types[name],
        )
        for name, text in after.key.items()
        if name in before.key and before.key[name] != text
    ]
    if before.key.keys() != after.key.keys() or after.map.keys() - before.map.keys() - before.key.keys():
        return sql.SQL("true")  # a column that was not written before
    for name, mapping in after.map.items():
        if name in before.map and before.map[name] != mapping:
            tests.append(
                _distinct(mapped(before.map[name], types[name]), mapped(mapping, types[name]), types[name])
            )
    return sql.SQL(" OR ").join(tests) if tests else sql.SQL("false")


def _cast(value: sql.Composable, type_: str) -> sql.Composable:
    return sql.SQL("CAST({} AS {})").format(value, sql.SQL(type_))


def _distinct(one: sql.Composable, other: sql.Composable, type_: str) -> sql.Composable:
    form = (
        "({})::text IS DISTINCT FROM ({})::text" if type_ in _WITHOUT_EQUALITY else "{} IS DISTINCT FROM {}"
    )
    return sql.SQL(form).format(one, other)
