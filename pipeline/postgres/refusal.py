"""When Postgres refuses a batch: which part of it, and what letter tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.batch import Item
from stages.expression.types import modifiers
from stages.passage import Passage, encode
from stages.reject import Cause, Reject

_FOREIGN_KEY: Final = "23503"

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

    from stages.rules.compile import CompiledRules
    from stages.rules.model import Table
    from stages.write import Write


def halves(items: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    """Two parts of a batch, in order. An item stays whole: a position cannot stand in the middle of one."""
    middle = len(items) // 2
    return items[:middle], items[middle:]


def alone(item: Item) -> dict[int, Item]:
    """Each write of an item on its own, by rule."""
    if item.passage is None:
        return {}
    return {
        write.rule: msgspec.structs.replace(
            item, passage=msgspec.structs.replace(item.passage, writes=(write,), rejects=())
        )
        for write in item.passage.writes
    }


def refused(item: Item, faults: Mapping[int, psycopg.Error], rules: CompiledRules) -> Item:
    """The item with the writes that Postgres refused turned into rejects; `faults` by rule, all of them of
    the item's writes.
    """
    passage = item.passage
    if passage is None or passage.change is None or not faults:
        return item
    change = passage.change
    by_rule = {write.rule: write for write in passage.writes}
    rejects = tuple(
        msgspec.structs.replace(
            _measured(refusal_of(error), by_rule[rule], rules.by_id[rule].target),
            change_id=change.id,
            table=f"{change.schema}.{change.table}",
            key=change.key,
            rule_id=rule,
            rule=rules.by_id[rule].rule.name,
            rule_version=rules.by_id[rule].rule.version,
        )
        for rule, error in faults.items()
    )
    kept = tuple(write for write in passage.writes if write.rule not in faults)
    refused = msgspec.structs.replace(passage, writes=kept, rejects=(*passage.rejects, *rejects))
    return msgspec.structs.replace(item, passage=refused)


def _measured(why: Reject, write: Write, target: Table) -> Reject:
    """The refusal with the column and both lengths, where a text is too long: Postgres does not say which."""
    if why.sqlstate != "22001":
        return why
    for column in target.columns:
        room, value = modifiers(column.type), write.values.get(column.name)
        if isinstance(value, str) and len(room) == 1 and len(value) > room[0]:
            message = (
                f"the text for `{column.name}` of {target.name} has {len(value):,} characters, "
                f"and the column takes {room[0]:,}"
            )
            return msgspec.structs.replace(why, message=message, column_name=column.name)
    return why


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
