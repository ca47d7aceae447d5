"""The state machine: writers, processes and faults in any order that hypothesis thinks of."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.model.mover import Parts
from tests.model.source import RECORDS, WRITERS
from tests.model.world import LAYOUTS, ModelWorld

_WRITER: Final = st.integers(0, WRITERS - 1)
_RECORD: Final = st.sampled_from(RECORDS)
_MOVER: Final = st.integers(0, 4)
_POINTS: Final = st.integers(0, 30)
_SELDOM: Final = st.sampled_from([False] * 9 + [True])
_LOSSES: Final = st.sampled_from(["all", "stream", "fence", "group", "published"])
_PARTITION: Final = st.integers(0, 2)


class Replication(RuleBasedStateMachine):
    """Relays and workers as they run in production; the servers, and what befalls them, in memory."""

    parts = Parts()

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self.world: ModelWorld

    @initialize(layout=st.sampled_from(LAYOUTS))
    def begin(self, layout: tuple[str, ...]) -> None:
        self.world = ModelWorld(layout, self.parts)

    # Writers ------------------------------------------------------------------------------------------

    @rule(writer=_WRITER, k=_RECORD, bad=_SELDOM, active=st.booleans(), commit=st.booleans())
    def put(self, writer: int, k: str, bad: bool, active: bool, commit: bool) -> None:
        """An insert or an update; a bad one will be refused by one of the targets."""
        self._number += 1
        self.world.source.put(writer, k, None if bad else f"n{self._number}", active)
        if commit:
            self.world.source.end(writer, commit=True)

    @rule(writer=_WRITER, k=_RECORD, commit=st.booleans())
    def remove(self, writer: int, k: str, commit: bool) -> None:
        self.world.source.remove(writer, k)
        if commit:
            self.world.source.end(writer, commit=True)

    @rule(writer=_WRITER, k=_RECORD, new=_RECORD, commit=st.booleans())
    def rename(self, writer: int, k: str, new: str, commit: bool) -> None:
        self.world.source.rename(writer, k, new)
        if commit:
            self.world.source.end(writer, commit=True)

    @rule(writer=_WRITER, commit=st.sampled_from([True, True, False]))
    def end(self, writer: int, commit: bool) -> None:
        self.world.source.end(writer, commit=commit)

    # Processes ----------------------------------------------------------------------------------------

    @rule(movers=st.lists(_MOVER, min_size=1, max_size=8))
    def step(self, movers: list[int]) -> None:
        for mover in movers:
            self.world.movers[mover].step()

    @rule(rounds=st.integers(1, 4))
    def step_all(self, rounds: int) -> None:
        for _ in range(rounds):
            for mover in self.world.movers:
                mover.step()

    @rule(mover=_MOVER, points=_POINTS, noticed=st.booleans())
    def crash(self, mover: int, points: int, noticed: bool) -> None:
        self.world.movers[mover].crash_at(points, noticed=noticed)

    @rule(mover=_MOVER, points=_POINTS)
    def cut(self, mover: int, points: int) -> None:
        self.world.movers[mover].cut_at(points)

    @rule(mover=_MOVER, points=_POINTS)
    def pause(self, mover: int, points: int) -> None:
        paused = self.world.movers[mover]
        paused.pause_at(points, lambda: self.world.go_on_without(paused))

    # Servers ------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.5, 1.5, 6.0]))
    def wait(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(seconds=st.sampled_from([-3_600.0, 3_600.0]))
    def jump(self, seconds: float) -> None:
        """The clock of Postgres is set."""
        self.world.database.now += seconds

    @rule(away=st.booleans())
    def postgres_away(self, away: bool) -> None:
        self.world.database.away = away

    @rule(away=st.booleans())
    def redis_away(self, away: bool) -> None:
        self.world.redis.away = away

    @rule(full=st.booleans())
    def redis_full(self, full: bool) -> None:
        self.world.redis.full = full

    @rule(lose=_LOSSES, partition=_PARTITION, stream=st.integers(0, 3))
    def lose(self, lose: str, partition: int, stream: int) -> None:
        """Redis is flushed, or loses one key."""
        self.world.lose(lose, partition, stream)

    @rule()
    def save(self) -> None:
        self.world.saved = self.world.redis.save()

    @rule()
    def go_back(self) -> None:
        """Redis comes back as it was when it was saved last."""
        self.world.redis.restore(self.world.saved)

    @rule(place=st.integers(0, 20))
    def duplicate(self, place: int) -> None:
        self.world.duplicate(place)

    # People -------------------------------------------------------------------------------------------

    @rule(what=st.sampled_from(["retry", "skip"]), place=st.integers(0, 5))
    def ask(self, what: str, place: int) -> None:
        self.world.ask(what, place)

    # Promises -----------------------------------------------------------------------------------------

    @invariant()
    def hold(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        """Whatever has happened: once it is over, nothing is lost."""
        if hasattr(self, "world"):
            self.world.heal()
