"""Orgs without servers: tables that stamp what is edited, and the stages that carry changes between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stages.change import Change, Operation
from stages.conflicts import resolve
from stages.filter import filter_changes
from stages.hold import Holds
from stages.match import match_changes
from stages.omit import Omitted
from stages.passage import Passage
from stages.rules.compile import compile_rules
from stages.rules.model import Column, Mapping, Rule, RuleSet, Table, TableName
from stages.scene import Present, Scene, Spot
from stages.stamp import ALL, Stamp
from stages.transform import transform_changes
from stages.write import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stages.bout import Conflict
    from stages.rules.compile import CompiledRules
    from stages.stamp import Stamps
    from stages.write import Write

COLUMNS = ("name", "city")
KEY = '{"k": "1"}'
Row = dict[str, Any]


def rules_between(pairs: Iterable[tuple[str, str]], **options: Any) -> CompiledRules:
    """A rule for each (source, target) org."""
    pairs = list(pairs)
    orgs = sorted({org for pair in pairs for org in pair})
    tables = {org: TableName(org, org, "account") for org in orgs}
    columns = tuple(Column(name, "text") for name in ("k", *COLUMNS))
    rules = tuple(
        Rule(
            id=number,
            name=f"{source}-{target}",
            version=1,
            source=tables[source],
            target=tables[target],
            key={"k": "k"},
            map={name: Mapping(name) for name in COLUMNS},
            **options,
        )
        for number, (source, target) in enumerate(pairs, start=1)
    )
    described = tuple(Table(tables[org], "plain", columns, ("k",)) for org in orgs)
    return compile_rules(RuleSet(1, {org: org for org in orgs}, described, rules))


class Org:
    """One record of one table, and the changes of it that have not been carried yet."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.row: Row | None = None
        self.stamps: Stamps = {}
        self.deleted: Stamp | None = None
        self.queue: list[tuple[Change, Stamps]] = []


class Network:
    """Orgs and the rules between them."""

    def __init__(self, rules: CompiledRules) -> None:
        self.rules = rules
        self.orgs = {org: Org(org) for org in rules.org_of.values()}
        self.conflicts: list[Conflict] = []
        self._ids = 0

    def edit(self, name: str, at: int, values: Row | None) -> None:
        """A user writes some columns, or deletes the record (None), at a time by his own org's clock."""
        org = self.orgs[name]
        table = f"{name}.account"
        if values is None:
            if org.row is not None:
                at = max([at, *(stamp.at + 1 for stamp in org.stamps.values())])
                self._store(org, None, {}, Stamp(at, table), ())
        elif org.row is None:
            at = max(at, org.deleted.at + 1 if org.deleted else 0)
            row = {"k": "1", "name": None, "city": None, **values}
            self._store(org, row, {ALL: Stamp(at, table)}, None, ())
        else:
            fresh = {}
            for column, value in values.items():
                if org.row[column] != value:
                    seen = org.stamps.get(column) or org.stamps.get(ALL)
                    fresh[column] = Stamp(max(at, seen.at + 1 if seen else 0), table)
            if fresh:
                self._store(org, {**org.row, **values}, {**org.stamps, **fresh}, None, ())

    def deliver(self, name: str) -> bool:
        """Carry the oldest change of an org to wherever the rules lead; whether there was one."""
        org = self.orgs[name]
        if not org.queue:
            return False
        change, stamps = org.queue.pop(0)
        passages = [Passage(1, change)]
        for stage in (filter_changes, match_changes, transform_changes):
            passages = [one for one in stage(passages, self.rules) if one is not None]
        scene = Scene(
            {
                Spot(other.name, "account", ("k",), ("1",)): Present(
                    KEY, dict(other.row) if other.row else None, dict(other.stamps), other.deleted
                )
                for other in self.orgs.values()
            },
            {change.id: stamps},
        )
        found = resolve(passages, self.rules, scene, Omitted(Holds({}), frozenset()))
        self.conflicts += found.conflicts
        for passage in found.passages:
            for write in passage.writes:
                self._apply(write, scene, (*change.path, name))
        for answer in found.answers:
            told = answer.change()
            if told is not None:
                operation, before, after, known = told
                self._enqueue(self.orgs[answer.spot.schema], operation, (before, after), known, ())
        return True

    def settle(self, order: Iterable[str]) -> None:
        """Carry everything, the orgs' changes in this order for as long as it goes, then in turn."""
        for name in order:
            self.deliver(name)
        for _ in range(1_000):
            if not sum(self.deliver(name) for name in self.orgs):
                return
        raise AssertionError("the rules do not come to rest")

    def states(self) -> list[tuple[Any, ...] | None]:
        """What each org holds."""
        return [
            None if org.row is None else tuple(org.row[column] for column in COLUMNS)
            for org in self.orgs.values()
        ]

    def _apply(self, write: Write, scene: Scene, path: tuple[str, ...]) -> None:
        org = self.orgs[self.rules.by_id[write.rule].target.name.org]
        present = scene.spots[Spot(org.name, "account", ("k",), ("1",))]
        row = org.row
        if write.action is Action.DELETE:
            row = None
        elif write.action is Action.UPSERT or (write.action is Action.UPDATE and row is None):
            row = {"k": "1", **write.values}
        elif write.action is Action.UPDATE and row is not None:
            row = {**row, **{name: write.values[name] for name in write.changed}}
        self._store(org, row, present.stamps, present.deleted, path)

    def _store(
        self, org: Org, row: Row | None, stamps: Stamps, deleted: Stamp | None, path: tuple[str, ...]
    ) -> None:
        before, org.row, org.stamps, org.deleted = org.row, row, dict(stamps), deleted
        if before == row:
            return
        kinds = {(True, False): Operation.INSERT, (False, True): Operation.DELETE}
        operation = kinds.get((before is None, row is None), Operation.UPDATE)
        carried = {ALL: deleted} if row is None and deleted is not None else dict(stamps)
        self._enqueue(org, operation, (before, row), carried, path)

    def _enqueue(
        self,
        org: Org,
        operation: Operation,
        rows: tuple[Row | None, Row | None],
        stamps: Stamps,
        path: tuple[str, ...],
    ) -> None:
        self._ids += 1
        before, after = (msgspec.Raw(msgspec.json.encode(row)) for row in rows)
        change = Change(
            id=self._ids,
            schema=org.name,
            table="account",
            operation=operation,
            origin="orgstream" if path else "application",
            captured_at="2026-01-01",
            key=msgspec.Raw(KEY.encode()),
            before=before,
            after=after,
            path=path,
        )
        org.queue.append((change, dict(stamps)))
