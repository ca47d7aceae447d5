"""The state machines: writers, processes and faults in any order that hypothesis thinks of."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.model.mover import Parts
from tests.model.source import RECORDS, WRITERS
from tests.model.world import LAYOUTS, ModelWorld

_MOVER: Final = st.integers(0, 4)
_RECORD: Final = st.sampled_from(RECORDS)
_WORKER: Final = st.integers(2, 4)
_NEAR: Final = st.tuples(st.sampled_from(["redis", "redis", "postgres"]), st.integers(0, 7))
_WRITES: Final = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "put", "bad", "remove", "rename", "end", "give up"]),
        st.integers(0, WRITERS - 1),
        _RECORD,
        _RECORD,  # the new key of a record that is renamed
        st.booleans(),  # whether the record is active
        st.booleans(),  # whether the transaction commits at once
    ),
    min_size=1,
    max_size=8,
)
_POINTS: Final = st.one_of(st.integers(0, 8), st.integers(0, 40))


class Steps(RuleBasedStateMachine):
    """Relays and workers as they run in production, over servers in memory, while an application writes."""

    parts = Parts()

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self.world: ModelWorld

    @initialize(layout=st.sampled_from(LAYOUTS))
    def begin(self, layout: tuple[str, ...]) -> None:
        self.world = ModelWorld(layout, self.parts)
        self.world.step_all(3)

    @rule(writes=_WRITES)
    def write(self, writes: list[tuple[str, int, str, str, bool, bool]]) -> None:
        """Transactions of an application: what is bad will be refused by one of the targets."""
        for what, writer, k, new, active, commit in writes:
            self._number += 1
            name = None if what == "bad" else f"n{self._number}"
            if what in ("put", "bad"):
                self.world.source.put(writer, k, name, active)
            elif what == "remove":
                self.world.source.remove(writer, k)
            elif what == "rename":
                self.world.source.rename(writer, k, new)
            if commit or what in ("end", "give up"):
                self.world.source.end(writer, commit=what != "give up")

    @rule(movers=st.lists(_MOVER, min_size=1, max_size=8))
    def step(self, movers: list[int]) -> None:
        for mover in movers:
            self.world.movers[mover].step()

    @rule(rounds=st.integers(1, 10))
    def step_all(self, rounds: int) -> None:
        self.world.step_all(rounds)

    @rule(rounds=st.integers(1, 8))
    def publish(self, rounds: int) -> None:
        self.world.publish(rounds)

    @rule(seconds=st.sampled_from([0.5, 1.5, 6.0]))
    def wait(self, seconds: float) -> None:
        self.world.advance(seconds)

    @invariant()
    def hold(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        """Whatever has happened: once it is over, nothing is lost."""
        if hasattr(self, "world"):
            self.world.heal()


class Deaths(Steps):
    """Processes die or lose a connection, between any two steps of a server."""

    @rule(mover=_MOVER, points=_POINTS, noticed=st.booleans(), rounds=st.integers(0, 4))
    def crash(self, mover: int, points: int, noticed: bool, rounds: int) -> None:
        self.world.movers[mover].crash_at(points, noticed=noticed)
        self.world.step_all(rounds)

    @rule(mover=_MOVER, points=_POINTS, rounds=st.integers(0, 4))
    def cut(self, mover: int, points: int, rounds: int) -> None:
        self.world.movers[mover].cut_at(points)
        self.world.step_all(rounds)


class Interruptions(Deaths):
    """They are suspended, too."""

    @rule(mover=_MOVER, points=_POINTS)
    def pause(self, mover: int, points: int) -> None:
        """Suspend it in the middle of its next step."""
        self.world.movers[mover].step_with_pause(points)

    @rule(mover=_MOVER)
    def resume(self, mover: int) -> None:
        self.world.movers[mover].resume()

    @rule(first=_WORKER, second=_WORKER, points=st.tuples(_NEAR, _NEAR), rounds=st.integers(0, 2))
    def overlap(
        self, first: int, second: int, points: tuple[tuple[str, int], tuple[str, int]], rounds: int
    ) -> None:
        """A worker is suspended until others have taken over, and wakes up while one is in the middle."""
        before, after = self.world.movers[first], self.world.movers[second]
        before.step_with_pause(points[0][1], points[0][0])
        self.world.advance(6.0)
        self.world.step_all(rounds)
        self.world.publish(4)
        after.step_with_pause(points[1][1], points[1][0])
        before.resume()
        after.resume()


class Losses(Steps):
    """Servers are away, or lose what they hold."""

    @rule(seconds=st.sampled_from([-3_600.0, 3_600.0]))
    def jump(self, seconds: float) -> None:
        """The clock of Postgres is set."""
        self.world.database.now += seconds

    @rule(which=st.sampled_from(["postgres", "redis", "full"]), rounds=st.integers(1, 4))
    def outage(self, which: str, rounds: int) -> None:
        """A server is away for a while, or Redis is full."""
        self.world.outage(which, rounds)

    @rule(
        what=st.sampled_from(["all", "stream", "fence", "group", "published", "save", "go back"]),
        partition=st.integers(0, 2),
        stream=st.integers(0, 3),
    )
    def lose(self, what: str, partition: int, stream: int) -> None:
        """Redis is flushed, loses one key, or comes back as it was when it was saved."""
        self.world.lose(what, partition, stream)


class Meddling(Steps):
    """Somebody adds entries, and people deal with dead letters."""

    @rule(place=st.integers(0, 20))
    def duplicate(self, place: int) -> None:
        self.world.duplicate(place)

    @rule(what=st.sampled_from(["retry", "skip"]), place=st.integers(0, 5))
    def ask(self, what: str, place: int) -> None:
        self.world.ask(what, place)


class Replication(Interruptions, Losses, Meddling):
    """All of it."""
