"""The histories of some records of a replay, put into groups that changes of identity bind together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.postgres.queries import load
from pipeline.redis.keys import partition_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import psycopg


class Group(msgspec.Struct):
    """Records that are replayed together, and their changes in order."""

    records: list[int]
    changes: dict[int, frozenset[int]]  # change -> rules under which it is to be replayed


class Histories(msgspec.Struct, frozen=True):
    """Some groups, and where their records stand."""

    groups: list[Group]
    keys: frozenset[tuple[str, str]]  # table, identity as JSON text

    @property
    def changes(self) -> list[int]:
        """Every change in them."""
        return [change for group in self.groups for change in group.changes]

    @property
    def records(self) -> list[int]:
        """Every record in them."""
        return [record for group in self.groups for record in group.records]

    def partitions(self, count: int) -> set[int]:
        """The partitions that their changes go through, of `count`."""
        return {partition_of(f"{table}{key}".encode(), count) for table, key in self.keys}


def read_histories(connection: psycopg.Connection, replay: int, records: Collection[int]) -> Histories:
    """What is gathered of these records, and of those bound to them."""
    queries = load("replay")
    rows = connection.execute(queries["history"], {"replay": replay, "records": list(records)}).fetchall()
    groups = grouped(rows)
    changes = [change for group in groups for change in group.changes]
    keys = connection.execute(queries["keys"], {"changes": changes}).fetchall()
    return Histories(groups, frozenset((table, key) for table, key in keys))


def grouped(rows: Iterable[tuple[int, int, Sequence[int]]]) -> list[Group]:
    """Groups from (record, change, rules): records that share a change belong together."""
    rows = list(rows)
    root: dict[int, int] = {}

    def find(record: int) -> int:
        while root.setdefault(record, record) != record:
            record = root[record]
        return record

    owner: dict[int, int] = {}
    for record, change, _ in rows:
        root[find(record)] = find(owner.setdefault(change, record))
    groups: dict[int, Group] = {}
    for record in root:
        groups.setdefault(find(record), Group([], {})).records.append(record)
    for record, change, rules in sorted(rows, key=lambda row: row[1]):
        changes = groups[find(record)].changes
        changes[change] = changes.get(change, frozenset()) | frozenset(rules)
    return list(groups.values())
