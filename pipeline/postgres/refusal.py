"""When Postgres refuses a batch: which part of it, and what letter tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.batch import Item
from stages.passage import Passage, encode
from stages.reject import Cause, Reject

_FOREIGN_KEY: Final = "23503"

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from stages.rules.compile import CompiledRules


def halves(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Two parts of a batch, in order: of its items, or of the one item's writes; none for a single write."""
    if len(items) > 1:
        return [items[: len(items) // 2], items[len(items) // 2 :]]
    item = items[0]
    if item.passage is None or len(item.passage.writes) < 2:
        return []
    first = msgspec.structs.replace(item.passage, writes=item.passage.writes[:1])
    rest = msgspec.structs.replace(item.passage, writes=item.passage.writes[1:], rejects=())
    return [[msgspec.structs.replace(item, passage=passage)] for passage in (first, rest)]


def refused(item: Item, error: psycopg.Error, rules: CompiledRules) -> Item:
    """The item with its writes turned into rejects: Postgres refused them."""
    passage = item.passage
    if passage is None or passage.change is None:
        raise error
    change, why = passage.change, refusal_of(error)
    rejects = tuple(
        msgspec.structs.replace(
            why,
            change_id=change.id,
            table=f"{change.schema}.{change.table}",
            key=change.key,
            rule_id=write.rule,
            rule=rules.by_id[write.rule].rule.name,
            rule_version=rules.by_id[write.rule].rule.version,
        )
        for write in passage.writes
    )
    if not rejects:
        raise error
    refused = msgspec.structs.replace(passage, writes=(), rejects=(*passage.rejects, *rejects))
    return Item(item.partition, item.id, item.order, refused)


def refusal_of(error: psycopg.Error) -> Reject:
    """Why Postgres refused a write, of no change yet."""
    return Reject(
        change_id=None,
        table="",
        cause=Cause.SCHEMA if (error.sqlstate or "").startswith("42") else Cause.REFUSED,
        message=_message(error),
        sqlstate=error.sqlstate,
        column_name=error.diag.column_name,
        constraint_name=error.diag.constraint_name,
    )


def wants_parent(error: psycopg.Error, rules: CompiledRules) -> bool:
    """Whether a write refers to a row that is not there, and that a rule may yet bring."""
    if error.sqlstate != _FOREIGN_KEY:
        return False
    schema, table, name = error.diag.schema_name, error.diag.table_name, error.diag.constraint_name
    return any(
        (rule.target.name.schema, rule.target.name.name) == (schema, table)
        and any(key.name == name for key in rule.foreign_keys)
        for rule in rules.by_id.values()
    )


def unreadable(item: Item, error: psycopg.Error) -> Item:
    payload = None if item.passage is None else encode(item.passage).decode("ascii", "backslashreplace")
    fault = Reject(
        change_id=None,
        table=f"partition {item.partition}",
        cause=Cause.UNREADABLE,
        message=f"the entry holds what Postgres cannot: {_message(error)}",
        payload=payload,
    )
    return Item(item.partition, item.id, item.order, Passage(0, rejects=(fault,)))


def _message(error: psycopg.Error) -> str:
    diagnostic = error.diag
    where = ", ".join(
        f"{what} {name}"
        for what, name in (
            ("table", diagnostic.table_name),
            ("column", diagnostic.column_name),
            ("constraint", diagnostic.constraint_name),
        )
        if name
    )
    message = diagnostic.message_primary or str(error)
    if (error.sqlstate or "").startswith("22"):  # it quotes the value
        message = message.partition(': "')[0]
    return f"{message} ({where})" if where else message
