"""Layers: which writes of a batch may run together, and the statements of each layer.

A record's rename runs after what came before it and before what follows; all else of a layer runs together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from stages.fold import Columns, Effect, Key, Record, Shape, begun, fold, parts
from stages.rules.compile import CompiledRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stages.rules.model import TableName
    from stages.write import Write

_ORDER: Final = {effect: place for place, effect in enumerate(Effect)}

Path = tuple[str, ...]


class Statement(msgspec.Struct, frozen=True):
    """One statement against one target table; all its records have the same columns."""

    effect: Effect
    rule: CompiledRule  # any rule of the group: they share target and key columns
    path: Path
    insert_columns: tuple[str, ...]
    update_columns: tuple[str, ...]
    records: list[Record]
    layer: int = 0


_Target = tuple[str, str, tuple[str, ...], Path]  # schema, table, key columns, path


class _Table:
    """What a batch has come to so far in one target table."""

    __slots__ = ("floor", "key_columns", "last")

    def __init__(self, key_columns: tuple[str, ...]) -> None:
        self.key_columns = key_columns
        self.floor = 0  # the first layer for writes by these key columns
        self.last: dict[Key, _Group] = {}  # the group of each record's last write


class Layers:
    """The writes of a batch, in the order of their changes."""

    def __init__(self) -> None:
        self._layers: list[dict[_Target, _Group]] = []
        self._tables: dict[TableName, _Table] = {}
        self._latest: tuple[CompiledRule, _Table] | None = None
        self._begun: tuple[CompiledRule, Path, int, _Group] | None = None

    def add(self, rule: CompiledRule, path: Path, write: Write) -> None:
        """Put a write into the first layer where it may run. Equal paths are to be the same object."""
        table = self._table(rule)
        last = table.last.get(write.key)
        if write.old_key is not None:
            before = table.last.get(write.old_key)
            layer = max(last.layer if last else -1, before.layer if before else -1) + 1
            group = table.last[write.old_key] = self._group(rule, path, max(layer, table.floor))
        elif last is None:
            group = self._group(rule, path, table.floor)
        elif last.path is not path or last.layer < table.floor:
            # Another group's record: it must run after that one.
            group = self._group(rule, path, max(last.layer + (last.path != path), table.floor))
        else:
            group = last
        table.last[write.key] = group
        group.add(write)

    def _table(self, rule: CompiledRule) -> _Table:
        """Rules that know a table's records by different columns may mean the same one: they take turns."""
        if self._latest is not None and self._latest[0] is rule:
            return self._latest[1]
        table = self._tables.get(rule.target.name)
        if table is None:
            table = self._tables[rule.target.name] = _Table(rule.key_columns)
        elif table.key_columns != rule.key_columns:
            table.key_columns, table.floor = rule.key_columns, len(self._layers)
        self._latest = (rule, table)
        return table

    def _group(self, rule: CompiledRule, path: Path, layer: int) -> _Group:
        """The group that a write goes to; mostly the same one as the write before."""
        if self._begun is not None:
            known_rule, known_path, known_layer, group = self._begun
            if known_rule is rule and known_path is path and known_layer == layer:
                return group
        group = self._group_of(rule, path, layer)
        self._begun = (rule, path, layer, group)
        return group

    def _group_of(self, rule: CompiledRule, path: Path, layer: int) -> _Group:
        while len(self._layers) <= layer:
            self._layers.append({})
        name = rule.target.name
        target = (name.schema, name.name, rule.key_columns, path)
        group = self._layers[layer].get(target)
        if group is None:
            group = self._layers[layer][target] = _Group(rule, path, layer)
        return group

    def statements(self) -> Iterator[Statement]:
        """The statements, in the order in which they are to run."""
        for layer in self._layers:
            of_layer = [statement for group in layer.values() for statement in group.statements()]
            yield from sorted(of_layer, key=_order)


def _order(statement: Statement) -> tuple[int, int]:
    """By effect; Heroku Connect sends by the order of its log: there parents are made first, and go last."""
    place = statement.rule.place
    return _ORDER[statement.effect], -place if statement.effect is Effect.DELETE else place


class _Group:
    """The records of one target table that a layer writes along one path."""

    __slots__ = ("_records", "_rule", "layer", "path")

    def __init__(self, rule: CompiledRule, path: Path, layer: int) -> None:
        self._rule = rule
        self.path = path
        self.layer = layer
        self._records: dict[Key, Record] = {}

    def add(self, write: Write) -> None:
        record = self._records.get(write.key)
        if record is None:
            self._records[write.key] = begun(write)
            return
        record.shape = None
        if write.old_key is not None:
            record.old_key = write.old_key
        fold(record, write)

    def statements(self) -> Iterator[Statement]:
        groups: dict[Columns, list[Record]] = {}
        alike: dict[Shape, list[list[Record]]] = {}
        for record in self._records.values():
            found = alike.get(record.shape) if record.shape else None
            if found is None:
                found = [groups.setdefault(columns, []) for columns in parts(record)]
                if record.shape:
                    alike[record.shape] = found
            for records in found:
                records.append(record)
        for (effect, insert, update), records in groups.items():
            yield Statement(effect, self._rule, self.path, insert, update, records, self.layer)
