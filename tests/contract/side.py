"""What the contract tests need of the real servers and of those in memory, besides the ports themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pipeline.ports import RelayStreams, WorkerStreams
from stages.rules.compile import compile_rules
from stages.rules.model import Column, Mapping, Rule, RuleSet, Table, TableName

if TYPE_CHECKING:
    from pipeline.ports import LeaseTable, Outbox, Positions, Releaser, Target
    from pipeline.redis.entry import Entry

PARTITIONS: Final = 4
_SOURCE: Final = TableName("emea", "emea", "contact")
_TARGET: Final = TableName("us", "us", "contact")
_COLUMNS: Final = tuple(Column(name, "text") for name in ("ext_id", "account", "email"))
# One rule: emea.contact to us.contact, where `email` refuses NULL.
RULES: Final = compile_rules(
    RuleSet(
        1,
        {"emea": "emea", "us": "us"},
        tuple(Table(name, "plain", _COLUMNS, ("ext_id",)) for name in (_SOURCE, _TARGET)),
        (
            Rule(
                1,
                "contacts",
                1,
                _SOURCE,
                _TARGET,
                key={"ext_id": "ext_id"},
                map={"account": Mapping("account"), "email": Mapping("email")},
            ),
        ),
    )
)


class Streams(RelayStreams, WorkerStreams, Protocol):
    """Both ends of the streams."""


class Transaction(Protocol):
    """An application's transaction on `emea.contact`."""

    def put(self, ext_id: str, email: str | None, account: str = "") -> None:
        """Insert a record, or update it."""
        ...

    def remove(self, ext_id: str) -> None:
        """Delete a record."""
        ...

    def rename(self, ext_id: str, new: str) -> None:
        """Give a record another key."""
        ...

    def end(self, *, commit: bool) -> None:
        """Commit or roll back."""
        ...


class Side(Protocol):
    """Servers, real or in memory. Each adapter that it gives has connections of its own."""

    def outbox(self) -> Outbox: ...
    def positions(self) -> Positions: ...
    def leases(self) -> LeaseTable: ...
    def streams(self) -> Streams: ...
    def target(self, holder: str) -> Target: ...
    def releaser(self, holder: str) -> Releaser: ...

    def begin(self) -> Transaction:
        """A transaction of an application."""
        ...

    def pass_time(self, seconds: float) -> None:
        """Let the database's clock go on."""
        ...

    def end_session(self, leases: LeaseTable) -> None:
        """Close the connection of an adapter, as when its process is killed."""
        ...

    def mend(self) -> None:
        """Let the target's `email` be NULL from now on."""
        ...

    def request(self, letter: int, what: str) -> None:
        """Ask for a letter to be settled."""
        ...

    def rows(self) -> list[tuple[str, str | None]]:
        """The target's ext_id and email."""
        ...

    def ledger(self) -> list[tuple[int, int]]:
        """Change and rule, sorted."""
        ...

    def letters(self) -> list[tuple[int, int | None, int]]:
        """The open letters: number, change, attempts."""
        ...

    def held(self) -> list[tuple[int, int | None]]:
        """The changes that wait, and behind which letter; sorted."""
        ...

    def flush(self) -> None:
        """Lose all of Redis."""
        ...

    def delete_stream(self, partition: int, name: str) -> None:
        """Lose a stream."""
        ...

    def delete_fence(self, partition: int) -> None:
        """Lose a partition's fence."""
        ...

    def add_foreign(self, partition: int, name: str, entry: Entry) -> None:
        """Have another writer append to a stream."""
        ...

    def delete_group(self, partition: int, name: str, group: str) -> None:
        """Lose a consumer group."""
        ...

    def trim(self, partition: int, name: str) -> None:
        """Lose a stream's entries, but not its last id."""
        ...

    def save(self) -> None:
        """Keep what partition 0 holds."""
        ...

    def go_back(self) -> None:
        """Have partition 0 as it was saved."""
        ...

    def fill(self, *, full: bool) -> None:
        """Let Redis have no memory left, or some again."""
        ...
