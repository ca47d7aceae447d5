"""The servers in memory, for the contract tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.side import PARTITIONS
from tests.fixtures.memory.database import MemoryDatabase, Writer
from tests.fixtures.memory.leases import MemoryLeaseTable
from tests.fixtures.memory.outbox import MemoryOutbox, MemoryPositions
from tests.fixtures.memory.redis import MemoryRedis
from tests.fixtures.memory.releaser import MemoryReleaser
from tests.fixtures.memory.session import Session
from tests.fixtures.memory.streams import MemoryStreams
from tests.fixtures.memory.target import MemoryTarget

if TYPE_CHECKING:
    from pipeline.ports import LeaseTable
    from pipeline.redis.entry import Entry
    from tests.fixtures.memory.database import Row

CONTACT = ("us", "contact")


class MemoryTransaction:
    """See `Transaction`. All see each other's rows: these tests do not ask for more."""

    def __init__(self, database: MemoryDatabase, contacts: dict[str, Row]) -> None:
        self._writer = Writer(database)
        self._contacts = contacts

    def put(self, ext_id: str, email: str | None, account: str = "") -> None:
        self._write(self._contacts.get(ext_id), {"ext_id": ext_id, "account": account, "email": email})

    def remove(self, ext_id: str) -> None:
        self._write(self._contacts[ext_id], None)

    def rename(self, ext_id: str, new: str) -> None:
        before = self._contacts[ext_id]
        self._write(before, before | {"ext_id": new})

    def end(self, *, commit: bool) -> None:
        self._writer.end(commit=commit)

    def _write(self, before: Row | None, after: Row | None) -> None:
        self._writer.write("emea", "contact", before, after, ("ext_id",))
        if before is not None:
            del self._contacts[before["ext_id"]]
        if after is not None:
            self._contacts[after["ext_id"]] = after


class MemorySide:
    """See `Side`."""

    def __init__(self) -> None:
        self._database = MemoryDatabase({CONTACT: ("email",)})
        self._redis = MemoryRedis()
        self._contacts: dict[str, Row] = {}
        self._saved = self._redis.save()
        MemoryLeaseTable(self._database, Session()).prepare(["apply"], PARTITIONS)

    def outbox(self) -> MemoryOutbox:
        return MemoryOutbox(self._database, Session())

    def positions(self) -> MemoryPositions:
        return MemoryPositions(self._database, Session())

    def leases(self) -> MemoryLeaseTable:
        return MemoryLeaseTable(self._database, Session())

    def streams(self) -> MemoryStreams:
        return MemoryStreams(self._redis, Session())

    def target(self, holder: str) -> MemoryTarget:
        return MemoryTarget(self._database, Session(), holder)

    def releaser(self, holder: str) -> MemoryReleaser:
        return MemoryReleaser(self._database, Session(), holder)

    def begin(self) -> MemoryTransaction:
        return MemoryTransaction(self._database, self._contacts)

    def pass_time(self, seconds: float) -> None:
        self._database.now += seconds

    def end_session(self, leases: LeaseTable) -> None:
        assert isinstance(leases, MemoryLeaseTable)
        leases.session.ended = True

    def mend(self) -> None:
        self._database.required = {}

    def request(self, letter: int, what: str) -> None:
        self._database.letters[letter - 1].requested = what

    def rows(self) -> list[tuple[str, str | None]]:
        return sorted((row["ext_id"], row["email"]) for row in self._database.rows.get(CONTACT, {}).values())

    def ledger(self) -> list[tuple[int, int]]:
        return sorted(self._database.ledger)

    def letters(self) -> list[tuple[int, int | None, int]]:
        return [(row.id, row.change_id, row.attempts) for row in self._database.letters if not row.resolution]

    def held(self) -> list[tuple[int, int | None]]:
        return sorted((change, letter) for (change, _), (_, letter) in self._database.held.items())

    def flush(self) -> None:
        self._redis.flush()

    def delete_stream(self, partition: int, name: str) -> None:
        del self._redis.keys.streams[partition, name]

    def delete_fence(self, partition: int) -> None:
        self._redis.delete_fence(partition)

    def add_foreign(self, partition: int, name: str, entry: Entry) -> None:
        assert self._redis.keys.streams[partition, name].add(entry)

    def delete_group(self, partition: int, name: str, group: str) -> None:
        del self._redis.keys.streams[partition, name].groups[group]

    def trim(self, partition: int, name: str) -> None:
        self._redis.keys.streams[partition, name].entries.clear()

    def save(self) -> None:
        self._saved = self._redis.save()

    def go_back(self) -> None:
        self._redis.restore(self._saved)

    def fill(self, *, full: bool) -> None:
        self._redis.full = full
