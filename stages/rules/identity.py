"""What identifies a source table's records: it decides their partition, their order and their ledger rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from stages.rules.facts import TableFacts


def agreed(names: Iterable[str], keys: Iterable[Collection[str]]) -> tuple[str, ...]:
    """The columns that all keys read, in the order of `names`; empty where the keys read different ones.

    `keys` has the source columns of the key of each enabled rule of the table.
    """
    distinct = {frozenset(key) for key in keys}
    if len(distinct) != 1:
        return ()
    (columns,) = distinct
    return tuple(name for name in names if name in columns)


def identity_of(
    facts: TableFacts, keys: Iterable[Collection[str]], stated: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The identity of a source table's records, or nothing where it has none.

    What the file states goes first, then what the keys agree on. Else it is the primary key of a plain
    table; and of a Heroku Connect table its only unique external id, or `sfid`. Never its `id`: a reload
    gives every record a new one.
    """
    found = stated or agreed(facts.names(), keys)
    if found:
        return found
    if facts.connector == "plain":
        return facts.primary_key
    external = {columns for columns in facts.unique if len(columns) == 1} - {("id",), ("sfid",)}
    return external.pop() if len(external) == 1 else ("sfid",)
