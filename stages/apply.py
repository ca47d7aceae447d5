"""Stage four: a batch of writes becomes few statements, one row per target record in each.

Writes of one record fold into one, whatever rule they come from. Renames make layers: a record's rename
runs after what came before it and before what follows; all else of a layer runs together.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stages.hold import EVERY_RULE, Block, Held
from stages.reject import Reject
from stages.rules.compile import CompiledRule, CompiledRules
from stages.write import Action, Write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stages.hold import Holds
    from stages.passage import Passage

Values = dict[str, Any]


class Effect(StrEnum):
    """What a statement does, in the order in which a layer's statements run."""

    RENAME = "rename"
    DELETE = "delete"
    UPDATE = "update"
    UPSERT = "upsert"


_NONE: Final = object()
_ORDER: Final = {effect: place for place, effect in enumerate(Effect)}


class Record(msgspec.Struct, gc=False):
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
    held: tuple[Held, ...]
    blocks: dict[Block, int | Reject]  # what is held from now on, and behind which letter


def plan_writes(
    batch: Sequence[Passage], rules: CompiledRules, holds: Holds, *, applied: frozenset[tuple[int, int]]
) -> Plan:
    """Fold a batch into statements.

    Left out are the writes that the ledger already holds (`applied`), and those that have to wait.
    """
    layers = _Layers()
    ledger: dict[tuple[int, int], LedgerEntry] = {}
    rejects: list[Reject] = []
    for passage in batch:
        change = passage.change
        if change is None:
            rejects += passage.rejects
            continue
        for reject in passage.rejects:
            if not holds.any or not holds.hold(change, reject.rule_id or EVERY_RULE):
                rejects.append(reject)
                holds.begin(change, reject)
        path = (*change.path, rules.org_of[change.schema])
        for write in passage.writes:
            name = (change.id, write.rule)
            # A change that was published twice may come twice in one batch.
            if name in applied or name in ledger or (holds.any and holds.hold(change, write.rule)):
                continue
            rule = rules.by_id[write.rule]
            layers.add(rule, path, write)
            ledger[name] = LedgerEntry(change.id, write.rule, rule.rule.version)
    return Plan(
        tuple(layers.statements()), tuple(ledger.values()), tuple(rejects), tuple(holds.held), holds.added
    )


_Target = tuple[str, str, tuple[str, ...], tuple[str, ...]]  # schema, table, key columns, path
_Place = tuple[str, str, tuple[Any, ...]]  # schema, table, key
_NEVER: Final[tuple[int, tuple[str, ...]]] = (-1, ())


class _Layers:
    def __init__(self) -> None:
        self._layers: list[dict[_Target, _Group]] = []
        self._last: dict[_Place, tuple[int, tuple[str, ...]]] = {}  # layer and path of a record's last write
        self._floors: dict[tuple[str, str], tuple[tuple[str, ...], int]] = {}

    def add(self, rule: CompiledRule, path: tuple[str, ...], write: Write) -> None:
        name = rule.target.name
        place = (name.schema, name.name, write.key)
        layer, last_path = self._last.get(place, (0, path))
        if last_path != path:  # another group's record: it must run after that one
            layer += 1
        if write.old_key is not None:
            old_place = (name.schema, name.name, write.old_key)
            layer = max(self._last.get(place, _NEVER)[0], self._last.get(old_place, _NEVER)[0]) + 1
        layer = max(layer, self._floor(rule))
        if write.old_key is not None:
            self._last[old_place] = (layer, path)
        self._last[place] = (layer, path)
        while len(self._layers) <= layer:
            self._layers.append({})
        target = (name.schema, name.name, rule.key_columns, path)
        self._layers[layer].setdefault(target, _Group(rule, path)).add(write)

    def _floor(self, rule: CompiledRule) -> int:
        """Rules that know a table's records by different columns may mean the same one: they take turns."""
        table = (rule.target.name.schema, rule.target.name.name)
        keys, floor = self._floors.get(table, (None, 0))
        if keys != rule.key_columns:
            floor = 0 if keys is None else len(self._layers)
            self._floors[table] = (rule.key_columns, floor)
        return floor

    def statements(self) -> Iterator[Statement]:
        for layer in self._layers:
            of_layer = [statement for group in layer.values() for statement in group.statements()]
            yield from sorted(of_layer, key=lambda statement: _ORDER[statement.effect])


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

    def statements(self) -> Iterator[Statement]:
        groups: dict[_Columns, list[Record]] = {}
        for record in self._records.values():
            for columns in _parts(record):
                groups.setdefault(columns, []).append(record)
        for (effect, insert, update), records in groups.items():
            yield Statement(effect, self._rule, self._path, insert, update, records)


def fold(record: Record, write: Write) -> None:
    """Add a later write of the same record to what the batch does to it."""
    if write.action is Action.DELETE:
        record.delete, record.upsert, record.insert, record.update = True, False, {}, {}
        return
    upserts = write.action is Action.UPSERT
    record.upsert = record.upsert or upserts
    changed = write.values
    if not upserts and write.revives:
        changed = {name: write.values[name] for name in write.changed}
    if record.insert:  # then the row is there by now
        record.insert = {**record.insert, **changed}
    elif write.revives:
        record.insert = write.values
    record.update = {**record.update, **changed} if record.update else changed


_Columns = tuple[Effect, tuple[str, ...], tuple[str, ...]]


def _parts(record: Record) -> Iterator[_Columns]:
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
