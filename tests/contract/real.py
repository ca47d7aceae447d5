"""Real servers, for the contract tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.leases import Leases
from pipeline.postgres.lease_table import PostgresLeaseTable
from pipeline.postgres.outbox import PostgresOutbox
from pipeline.postgres.positions import PostgresPositions
from pipeline.process import Process
from pipeline.processes.assembly import pace_of, target_of
from pipeline.redis import keys
from pipeline.redis.streams import PartitionStreams
from pipeline.topology import STREAMS
from tests.contract.side import PARTITIONS

if TYPE_CHECKING:
    import psycopg

    from pipeline.ports import LeaseTable, Releaser, Target
    from pipeline.redis.entry import Entry
    from tests.fixtures.world import World


class RealTransaction:
    """See `Transaction`."""

    def __init__(self, session: psycopg.Connection) -> None:
        self._session = session

    def put(self, ext_id: str, email: str | None, account: str = "") -> None:
        self._session.execute(
            "INSERT INTO emea.contact VALUES (%s, %s, %s) ON CONFLICT (ext_id)"
            " DO UPDATE SET account = excluded.account, email = excluded.email",
            [ext_id, account, email],
        )

    def remove(self, ext_id: str) -> None:
        self._session.execute("DELETE FROM emea.contact WHERE ext_id = %s", [ext_id])

    def rename(self, ext_id: str, new: str) -> None:
        self._session.execute("UPDATE emea.contact SET ext_id = %s WHERE ext_id = %s", [new, ext_id])

    def end(self, *, commit: bool) -> None:
        if commit:
            self._session.commit()
        else:
            self._session.rollback()


class RealSide:
    """See `Side`. Postgres's clock goes on by what it remembers going back."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._saved: dict[str, bytes] = {}
        world.capture("contact", "ext_id")
        self.leases().prepare(["apply"], PARTITIONS)

    def outbox(self) -> PostgresOutbox:
        return PostgresOutbox(self._world.connection())

    def positions(self) -> PostgresPositions:
        return PostgresPositions(self._world.connection())

    def leases(self) -> PostgresLeaseTable:
        return PostgresLeaseTable(self._world.connection())

    def streams(self) -> PartitionStreams:
        return PartitionStreams(self._world.client())

    def target(self, holder: str) -> Target:
        return self._ends(holder)[0]

    def releaser(self, holder: str) -> Releaser:
        return self._ends(holder)[1]

    def begin(self) -> RealTransaction:
        return RealTransaction(self._world.session())

    def pass_time(self, seconds: float) -> None:
        for statement in (
            "UPDATE orgstream.lease SET expires_at = expires_at - %s * interval '1 second'",
            "UPDATE orgstream.process SET seen_at = seen_at - %s * interval '1 second'",
        ):
            self._world.app.execute(statement, [seconds])

    def end_session(self, leases: LeaseTable) -> None:
        assert isinstance(leases, PostgresLeaseTable)
        pid = leases._connection.info.backend_pid
        leases._connection.close()
        while self._world.rows("SELECT FROM pg_stat_activity WHERE pid = %s", [pid]):
            pass

    def mend(self) -> None:
        self._world.app.execute("ALTER TABLE us.contact ALTER COLUMN email DROP NOT NULL")

    def request(self, letter: int, what: str) -> None:
        self._world.app.execute(
            "UPDATE orgstream.dead_letter SET requested = %s, request_reason = 'test' WHERE id = %s",
            [what, letter],
        )

    def rows(self) -> list[tuple[str, str | None]]:
        return [
            (row[0], row[1]) for row in self._world.rows("SELECT ext_id, email FROM us.contact ORDER BY 1")
        ]

    def ledger(self) -> list[tuple[int, int]]:
        found = self._world.rows("SELECT change_id, rule_id FROM orgstream.applied ORDER BY 1, 2")
        return [(change, rule) for change, rule in found]

    def letters(self) -> list[tuple[int, int | None, int]]:
        found = self._world.rows(
            "SELECT id, change_id, attempts FROM orgstream.dead_letter WHERE resolved_at IS NULL ORDER BY id"
        )
        return [(id_, change, attempts) for id_, change, attempts in found]

    def held(self) -> list[tuple[int, int | None]]:
        found = self._world.rows("SELECT change_id, letter_id FROM orgstream.held_change ORDER BY 1")
        return [(change, letter) for change, letter in found]

    def flush(self) -> None:
        self._world.redis.flushall()

    def delete_stream(self, partition: int, name: str) -> None:
        self._world.redis.delete(keys.stream(partition, name))

    def delete_fence(self, partition: int) -> None:
        self._world.redis.delete(keys.fence(partition))

    def add_foreign(self, partition: int, name: str, entry: Entry) -> None:
        self._world.redis.xadd(keys.stream(partition, name), {entry.field: entry.document}, id=entry.id)

    def delete_group(self, partition: int, name: str, group: str) -> None:
        self._world.redis.xgroup_destroy(keys.stream(partition, name), group)

    def trim(self, partition: int, name: str) -> None:
        self._world.redis.xtrim(keys.stream(partition, name), maxlen=0, approximate=False)

    def save(self) -> None:
        names = [keys.fence(0), *(keys.stream(0, name) for name in STREAMS)]
        dumped = {name: self._world.redis.dump(name) for name in names}
        self._saved = {name: value for name, value in dumped.items() if isinstance(value, bytes)}

    def go_back(self) -> None:
        for name, value in self._saved.items():
            self._world.redis.restore(name, 0, value, replace=True)

    def fill(self, *, full: bool) -> None:
        self._world.redis.config_set("maxmemory", 1 if full else 0)

    def _ends(self, holder: str) -> tuple[Target, Releaser]:
        connection = self._world.connection()
        process = Process(holder, "worker", "here", 1, ("apply",))
        table, settings = PostgresLeaseTable(connection), self._world.settings
        leases = Leases(table, process, stages=["apply"], partitions=PARTITIONS, seconds=5)
        return target_of(connection, process, settings, leases, pace_of(settings))
