"""Folding: the writes of one target record become one, whatever rule they come from."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stages.write import Action, Write

if TYPE_CHECKING:
    from collections.abc import Iterator

Key = tuple[Any, ...]
Values = dict[str, Any]
Shape = tuple[int, Action, bool, tuple[str, ...]]  # rule, action, whether it revives, changed columns


class Effect(StrEnum):
    """What a statement does, in the order in which a layer's statements run."""

    RENAME = "rename"
    DELETE = "delete"
    UPDATE = "update"
    UPSERT = "upsert"


_NONE: Final = object()


# The members themselves: it takes as long to look one up as to call a function.
_UPSERT: Final = Action.UPSERT
_DELETE: Final = Action.DELETE


class Record(msgspec.Struct, gc=False):
    """What a batch does to one target record.

    `insert` is what it holds should the target lack it (empty: then it is left alone); `update` what is
    written over the row that is there.
    """

    key: Key
    delete: bool = False
    upsert: bool = False
    insert: Values = {}
    update: Values = {}
    old_key: Key | None = None
    shape: Shape | None = None  # of its one write; records of one shape go into the same statements


def begun(write: Write) -> Record:
    """What a batch does to a record by its first write."""
    shape = (write.rule, write.action, write.revives, write.changed)
    if write.action is _UPSERT and write.old_key is None:  # by far the most frequent
        return Record(write.key, False, True, write.values, write.values, None, shape)
    record = Record(write.key, shape=shape if write.old_key is None else None, old_key=write.old_key)
    fold(record, write)
    return record


def fold(record: Record, write: Write) -> None:
    """Add a later write of the same record to what the batch does to it."""
    if write.action is _DELETE:
        record.delete, record.upsert, record.insert, record.update = True, False, {}, {}
        return
    upserts = write.action is _UPSERT
    record.upsert = record.upsert or upserts
    changed = write.values
    if not upserts and write.revives:
        changed = {name: write.values[name] for name in write.changed}
    if record.insert:  # then the row is there by now
        record.insert = {**record.insert, **changed}
    elif write.revives:
        record.insert = write.values
    record.update = {**record.update, **changed} if record.update else changed


Columns = tuple[Effect, tuple[str, ...], tuple[str, ...]]


def parts(record: Record) -> Iterator[Columns]:
    """The statements that a record takes part in, each with its columns for the insert and the update."""
    if record.old_key is not None:
        yield Effect.RENAME, (), ()
    if record.delete:
        yield Effect.DELETE, (), ()
    inserted = tuple(record.insert)
    if record.update is record.insert:  # one upsert, by far the most frequent
        if inserted or record.upsert:
            yield Effect.UPSERT, inserted, inserted
    elif record.upsert or (record.delete and inserted):
        # To be set only on a row that is there.
        extra = {name for name, value in record.update.items() if record.insert.get(name, _NONE) is not value}
        if extra and not record.delete:
            yield Effect.UPDATE, (), tuple(sorted(extra))
        yield Effect.UPSERT, inserted, tuple(sorted(record.update.keys() - extra))
    elif not record.delete and (record.update or inserted):
        yield Effect.UPDATE, inserted, tuple(sorted(record.update))
