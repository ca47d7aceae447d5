"""The servers in memory, the processes on them, and what befalls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.redis.entry import Entry
from pipeline.topology import RELAY, STREAMS
from tests.fixtures.memory.database import MemoryDatabase
from tests.fixtures.memory.redis import MemoryRedis
from tests.model.history import check_bounds, check_end, check_ledger
from tests.model.mover import LEASE_SECONDS, Mover, Parts
from tests.model.ruled import REQUIRED
from tests.model.source import WRITERS, Source

if TYPE_CHECKING:
    from tests.fixtures.memory.redis import Keys

LAYOUTS: Final = (
    ("filter,match,transform,apply",) * 3,
    ("filter,match,transform,apply", "filter,match", "transform,apply"),
    ("filter", "match,transform", "apply"),
)
_PATIENCE: Final = 400  # steps without an end in sight


class ModelWorld:
    """Two relays, three workers, one clock for all processes and one for the database."""

    def __init__(self, layout: tuple[str, ...], parts: Parts) -> None:
        self.database = MemoryDatabase(REQUIRED)
        self.redis = MemoryRedis()
        self.source = Source(self.database)
        self._clock = 1_000.0
        self._duplicates = 0
        servers = (self.database, self.redis)
        named = [("A", RELAY), ("B", RELAY), *((str(n), stages) for n, stages in enumerate(layout, 1))]
        self.movers = [Mover(name, stages, parts, servers, lambda: self._clock) for name, stages in named]
        self.saved: Keys = self.redis.save()

    def advance(self, seconds: float) -> None:
        """Time passes for everybody."""
        self._clock += seconds
        self.database.now += seconds

    def step_all(self, rounds: int) -> None:
        """Each process takes so many steps."""
        for _ in range(rounds):
            for mover in self.movers:
                mover.step()

    def publish(self, rounds: int) -> None:
        """The relays take so many steps, while the workers take none."""
        for _ in range(rounds):
            for mover in self.movers[:2]:
                mover.step()

    def outage(self, which: str, rounds: int) -> None:
        """Everybody tries so often, while a server is away or full."""
        self.database.away, self.redis.away, self.redis.full = (
            which == one for one in ("postgres", "redis", "full")
        )
        self.step_all(rounds)
        self.database.away = self.redis.away = self.redis.full = False

    def resume(self) -> None:
        """All that are suspended go on."""
        for mover in self.movers:
            mover.resume()

    def duplicate(self, place: int) -> None:
        """Somebody adds a copy of an entry, under an id after all that is published."""
        streams = [(p, s) for (p, name), s in self.redis.keys.streams.items() if name == STREAMS[0]]
        copies = [(p, entry) for p, stream in streams for entry in stream.entries.values()]
        if copies:
            partition, entry = copies[place % len(copies)]
            self._duplicates += 1
            stream = self.redis.keys.streams[partition, STREAMS[0]]
            tick, ordinal = stream.last  # what a change of ours was to have, perhaps
            stream.add(Entry(b"%d-%d" % (tick, ordinal + 1), entry.field, entry.document))

    def lose(self, what: str, partition: int, place: int) -> None:
        """Redis loses everything, or one key of a partition."""
        keys, name = self.redis.keys, (partition, STREAMS[place])
        if what == "all":
            self.redis.flush()
        elif what == "stream":
            keys.streams.pop(name, None)
        elif what == "fence":
            self.redis.delete_fence(partition)
        elif what == "published":
            keys.published = None
        elif what == "save":
            self.saved = self.redis.save()
        elif what == "go back":
            self.redis.restore(self.saved)
        elif name in keys.streams:
            keys.streams[name].groups.clear()

    def ask(self, what: str, place: int) -> None:
        """A person wants a letter to be settled."""
        letters = [letter for letter in self.database.letters if letter.resolution is None]
        if letters:
            letters[place % len(letters)].requested = what

    def check(self) -> None:
        """What has to be true at any time. Raises Broken."""
        check_ledger(self.database)
        check_bounds(self.redis, self._duplicates)

    def heal(self) -> None:
        """All faults end; everybody goes on until nothing is left to do. Raises Broken."""
        self.database.now += 100_000
        for writer in range(WRITERS):
            self.source.end(writer, commit=True)
        for mover in self.movers:
            mover.session.clear()
            mover.resume()
        self.advance(2 * LEASE_SECONDS)  # the leases of the dead run out
        for _ in range(6):  # what is periodic comes round; a partition that was given up is made anew
            self._settle()
            self.advance(1.5)
        self.check()
        check_end(self.database, self.redis)

    def _settle(self) -> None:
        for _ in range(_PATIENCE):
            if not sum([mover.step() for mover in self.movers]):
                return
        raise AssertionError("they do not come to an end")
