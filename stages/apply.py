"""Stage four: a batch of writes becomes few statements, one row per target record in each.

Writes of one record fold into one, whatever rule they come from. Renames make layers: a record's rename
runs after what came before it and before what follows; all else of a layer runs together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from stages.passage import Passage
from stages.reject import Reject
from stages.rules.compile import CompiledRule, CompiledRules
from stages.write import Action, Write

Values = dict[str, Any]


class Effect(StrEnum):
    """What a statement does, in the order in which a layer's statements run."""

    RENAME = "rename"
    DELETE = "delete"
    UPDATE = "update"
    UPSERT = "upsert"


class Record(msgspec.Struct):
    """What a batch does to one target record.

    `insert` is what it holds should the target lack it (empty: then it is left alone); `update` what is
    written over the row that is there.
    """

    key: tuple[Any, ...]
    delete: bool = False
    upsert: bool = False
    insert: Values = {}
    update: Values = {}
    old_key: tuple[Any, ...] | None = None


class Statement(msgspec.Struct, frozen=True):
    """One statement against one target table; all its records have the same columns."""

    effect: Effect
    rule: CompiledRule  # any rule of the group: they share target and key columns
    path: tuple[str, ...]
    insert_columns: tuple[str, ...]
    update_columns: tuple[str, ...]
    records: list[Record]


class LedgerEntry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The idempotency key of one write, and the version of the rule that decided it."""

    change_id: int
    rule_id: int
    rule_version: int


class Plan(msgspec.Struct, frozen=True):
    """What one apply transaction does."""

    statements: tuple[Statement, ...]
    ledger: tuple[LedgerEntry, ...]
    rejects: tuple[Reject, ...]


def plan_writes(batch: Sequence[Passage], rules: CompiledRules, *, applied: frozenset[tuple[int, int]]) -> Plan:
    """Fold a batch into statements, leaving out the writes that the ledger already holds (`applied`)."""
    layers = _Layers()
    ledger: list[LedgerEntry] = []
    for passage in batch:
        change = passage.change
        if change is None:
            continue
        path = (*change.path, rules.org_of[change.schema])
        for write in passage.writes:
            if (change.id, write.rule) not in applied:
                rule = rules.by_id[write.rule]
                layers.add(rule, path, write)
                ledger.append(LedgerEntry(change.id, write.rule, rule.rule.version))
    rejects = tuple(reject for passage in batch for reject in passage.rejects)
    return Plan(tuple(layers.statements()), tuple(ledger), rejects)


_Target = tuple[str, str, tuple[str, ...], tuple[str, ...]]  # schema, table, key columns, path
_Place = tuple[str, str, tuple[Any, ...]]  # schema, table, key


class _Layers:
    def __init__(self) -> None:
        self._layers: list[dict[_Target, _Group]] = []
        self._last: dict[_Place, int] = {}

    def add(self, rule: CompiledRule, path: tuple[str, ...], write: Write) -> None:
        name = rule.target.name
        place = (name.schema, name.name, write.key)
        layer = self._last.get(place, 0)
        if write.old_key is not None:
            old_place = (name.schema, name.name, write.old_key)
            layer = max(self._last.get(place, -1), self._last.get(old_place, -1)) + 1
            self._last[old_place] = layer
        self._last[place] = layer
        while len(self._layers) <= layer:
            self._layers.append({})
        target = (name.schema, name.name, rule.key_columns, path)
        self._layers[layer].setdefault(target, _Group(rule, path)).add(write)

    def statements(self) -> Iterator[Statement]:
        for layer in self._layers:
            for effect in Effect:
                for group in layer.values():
                    yield from group.statements(effect)


class _Group:
    """The records of one target table that a layer writes along one path."""

    def __init__(self, rule: CompiledRule, path: tuple[str, ...]) -> None:
        self._rule = rule
        self._path = path
        self._records: dict[tuple[Any, ...], Record] = {}

    def add(self, write: Write) -> None:
        record = self._records.get(write.key)
        if record is None:
            record = self._records[write.key] = Record(write.key)
        if write.old_key is not None:
            record.old_key = write.old_key
        fold(record, write)

    def statements(self, effect: Effect) -> Iterable[Statement]:
        groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Record]] = {}
        for record in self._records.values():
            columns = _statement_columns(record, effect)
            if columns is not None:
                groups.setdefault(columns, []).append(record)
        for (insert, update), records in groups.items():
            yield Statement(effect, self._rule, self._path, insert, update, records)


def fold(record: Record, write: Write) -> None:
    """Add a later write of the same record to what the batch does to it."""
    if write.action is Action.DELETE:
        record.delete, record.upsert, record.insert, record.update = True, False, {}, {}
        return
    record.upsert = record.upsert or write.action is Action.UPSERT
    changed = write.values
    if write.action is Action.UPDATE and write.revives:
        changed = {name: write.values[name] for name in write.changed}
    if write.revives or record.insert:
        record.insert = {**record.insert, **write.values}
    record.update = {**record.update, **changed}


def _statement_columns(record: Record, effect: Effect) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The columns of the record's part in such a statement (insert, update); None where it has no part."""
    upserts = record.upsert or (record.delete and bool(record.insert))
    if effect is Effect.RENAME:
        return ((), ()) if record.old_key is not None else None
    if effect is Effect.DELETE:
        return ((), ()) if record.delete else None
    if effect is Effect.UPSERT:
        return (tuple(record.insert), tuple(sorted(record.update.keys() & record.insert.keys()))) if upserts else None
    if record.delete:  # the row is gone by now
        return None
    if upserts:  # what was only to be set on the row that is there
        extra = record.update.keys() - record.insert.keys()
        return ((), tuple(sorted(extra))) if extra else None
    return (tuple(record.insert), tuple(sorted(record.update))) if record.update or record.insert else None
