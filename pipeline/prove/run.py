"""The proof from start to end."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

import redis

from pipeline.errors import Failure
from pipeline.proof.chance import chance
from pipeline.proof.folder import how_to_look, run_folder
from pipeline.proof.verdict import Kind
from pipeline.prove.injector import Injector
from pipeline.prove.observer import Observer
from pipeline.prove.rest import PATIENCE_SECONDS, Rest, Stuck
from pipeline.prove.stream_faults import take_sample
from pipeline.prove.verdict import ProveVerdict
from pipeline.prove.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.prove.options import Options
    from pipeline.signals import Stop

_TURN_SECONDS: Final = 0.05
_LOOK_SECONDS: Final = 0.3
_TELL_SECONDS: Final = 2.0


class Stopped(Failure):
    """Raised when the prover was stopped before it could prove anything."""


def run_prove(options: Options, stop: Stop, tell: Callable[[str], None]) -> ProveVerdict:
    """Run it all; `tell` hears of each step. Raises Stopped, Stuck, ChildEnded, SourceDisagrees,
    ConfigurationError; leaves nothing running.
    """
    with run_folder("prove", keep=options.keep) as folder:
        try:
            tell("Starting Postgres and Redis")
            with World(folder, options) as world, contextlib.closing(Observer(world)) as observer:
                return _Proof(world, observer, stop, tell).run()
        finally:
            if options.keep:
                tell(how_to_look(folder))


class _Proof:
    def __init__(self, world: World, observer: Observer, stop: Stop, tell: Callable[[str], None]) -> None:
        self._world = world
        self._options = world.options
        self._stop = stop
        self._tell = tell
        self._rng = chance(self._options.seed, "faults")
        self._injector = Injector(
            world,
            self._options.faults,
            self._rng,
            gap=self._options.gap,
            clock=time.monotonic,
            note=world.note,
        )
        self._observer = observer
        self._look_at = self._tell_at = 0.0

    def run(self) -> ProveVerdict:
        world, options = self._world, self._options
        world.prepare()
        world.processes.start_all()
        world.start_writers()
        self._tell("Starting relays, workers and writers")
        self._turn_until(self._flowing(time.monotonic() + PATIENCE_SECONDS))
        try:
            self._strike()
        finally:
            self._injector.heal_all()  # also what is suspended, or it could not be stopped
        self._tell("No more faults; the last changes arrive")
        world.end_writers()
        self._turn_until(world.writers_ended)
        if options.impatient and self._observer.findings:
            return self._verdict()
        self._turn_until(Rest(world).reached)
        world.processes.stop_all()
        self._tell("Comparing the source with the target, and every effect with the history")
        self._compare()
        return self._verdict()

    def _flowing(self, deadline: float) -> Callable[[], bool]:
        """Whether changes take effect; by the deadline they have to."""

        def flowing() -> bool:
            if time.monotonic() > deadline:
                words = self._world.processes.last_words()
                raise Stuck(f"no change took effect in {PATIENCE_SECONDS:.0f} s. Last log lines:\n{words}")
            return self._observer.history.effects > 0

        return flowing

    def _strike(self) -> None:
        options = self._options
        kinds = f"{len(options.faults)} kinds of faults" if options.faults else "no faults"
        self._tell(f"Writers write for {options.seconds:g} s, under {kinds}")
        ends = time.monotonic() + options.seconds

        def over() -> bool:
            self._injector.step()
            if "redis" not in self._world.away:
                with contextlib.suppress(redis.RedisError):
                    take_sample(self._world, self._rng)
            found = options.impatient and self._observer.findings
            return bool(found) or time.monotonic() >= ends or self._world.writers_ended()

        self._turn_until(over)

    def _turn_until(self, reached: Callable[[], bool]) -> None:
        """Observe, look after the processes and tell, until it is so."""
        while not reached():
            if self._stop.wait(_TURN_SECONDS):
                raise Stopped("stopped before anything was proven")
            now = time.monotonic()
            if now >= self._look_at:
                self._observer.look()
                self._world.look_after()
                self._look_at = now + _LOOK_SECONDS
            if now >= self._tell_at:
                self._tell(self._line())
                self._tell_at = now + _TELL_SECONDS

    def _line(self) -> str:
        history = self._observer.history
        return (
            f"  committed {history.changes:,} · effects judged {history.effects:,} · "
            f"faults {self._injector.struck.total():,} · findings {len(history.findings):,}"
        )

    def _compare(self) -> None:
        """What can only be said in the end."""
        self._observer.end()
        history = self._observer.history
        ((captured, carried, _, dead, held),) = self._world.ask("totals")
        if captured != history.changes:
            kind = Kind.LOST if captured < history.changes else Kind.WRONG
            history.note(kind, "capture", f"{history.changes} changes committed, {captured} captured")
        if carried + dead < captured or held:
            history.note(
                Kind.LOST, "ledger", f"{captured} changes captured, {carried} in the ledger, {held} held"
            )

    def _verdict(self) -> ProveVerdict:
        history = self._observer.history
        ((captured, carried, applied, dead, _),) = self._world.ask("totals")
        return ProveVerdict(
            captured=captured,
            applied=applied,
            suppressed=max(0, captured - carried - dead),
            dead=dead,
            findings=tuple(history.findings),
            committed=history.changes,
            effects=history.effects,
            transactions=self._world.tally(),
            faults=dict(self._injector.struck),
        )
