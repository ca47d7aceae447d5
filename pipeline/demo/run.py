"""The demo from start to end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.demo.orgs import EDIT, LOAD, REST
from pipeline.demo.proof import prove
from pipeline.demo.sample import Rest, Sample, take_sample
from pipeline.demo.world import WORKERS, World
from pipeline.errors import Failure
from pipeline.proof.folder import how_to_look, run_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.screen import Screen
    from pipeline.demo.verdict import DemoVerdict
    from pipeline.settings import Settings
    from pipeline.signals import Stop
    from stages.rules.model import RuleSet

#: Records that a sending org begins with.
RECORDS: Final = 1_200
_LOOK_SECONDS: Final = 0.25
_PATIENCE_SECONDS: Final = 90.0  # for what should come to rest in a few


class Stopped(Failure):
    """Raised when the demo was stopped before it could prove anything."""


class NotAtRest(Failure):
    """Raised when changes still moved long after the last edit: the message says where."""


class Options(msgspec.Struct, frozen=True):
    """What the command line says. `seconds` is how long users edit, `rate` their edits/s together."""

    seconds: float
    orgs: int
    rate: float
    seed: int
    keep: bool


def run_demo(settings: Settings, options: Options, stop: Stop, screen: Screen) -> DemoVerdict:
    """Run it all. Raises Stopped, NotAtRest, ChildEnded, ConfigurationError; leaves nothing running."""
    with run_folder("demo", keep=options.keep) as folder:
        try:
            with World(settings, folder, options.orgs) as world:
                return _Demo(world, options, stop, screen).run()
        finally:
            if options.keep:
                screen.kept(how_to_look(folder))


class _Demo:
    def __init__(self, world: World, options: Options, stop: Stop, screen: Screen) -> None:
        self._world = world
        self._options = options
        self._stop = stop
        self._screen = screen

    def run(self) -> DemoVerdict:
        self._screen.say("Starting Postgres and Redis")
        self._world.start_servers()
        self._check()
        rule_set = self._start_processes()
        with self._screen.watching():
            self._world.enter(LOAD)
            self._come_to_rest(LOAD, "Users fill their orgs with records")
            self._world.enter(EDIT)
            ends = time.monotonic() + self._options.seconds
            self._watch(
                "Users edit in all orgs", lambda _: time.monotonic() >= ends, seconds=self._options.seconds
            )
            self._world.enter(REST)
            self._come_to_rest(REST, "The users have stopped; the last changes arrive")
        self._screen.say("Comparing every source with every target, through the rules, in Postgres")
        return prove(self._world.connection, rule_set)

    def _start_processes(self) -> RuleSet:
        options, world = self._options, self._world
        self._screen.say("Starting the orgs with their Heroku Connect, a relay and two workers")
        world.start_process(
            "orgs",
            "demo",
            "--only-orgs",
            *("--orgs", str(options.orgs)),
            *("--seed", str(options.seed)),
            *("--rate", str(options.rate)),
        )
        world.start_process("relay", "relay")
        for number in range(1, WORKERS + 1):
            world.start_process(f"worker-{number}", "worker")
        self._await(lambda sample: len(sample.orgs) == len(world.orgs))
        return world.apply_rules()

    def _come_to_rest(self, phase: str, title: str) -> None:
        rest = Rest(phase)
        patience = time.monotonic() + _PATIENCE_SECONDS
        sample = self._watch(title, lambda sample: rest.reached(sample) or time.monotonic() > patience)
        if not sample.is_at_rest(phase):
            raise NotAtRest(_what_moves(sample))

    def _watch(self, title: str, done: Callable[[Sample], bool], *, seconds: float | None = None) -> Sample:
        self._screen.begin(title, seconds)
        while True:
            sample = take_sample(self._world)
            self._screen.show(sample)
            if done(sample):
                return sample
            self._check()

    def _await(self, done: Callable[[Sample], bool]) -> None:
        while not done(take_sample(self._world)):
            self._check()

    def _check(self) -> None:
        self._world.check()
        if self._stop.wait(_LOOK_SECONDS):
            raise Stopped("stopped before anything was proven")


def _what_moves(sample: Sample) -> str:
    status = sample.status
    orgs = ", ".join(org.name for org in sample.orgs if org.outstanding) or "no org"
    return (
        f"changes still move {_PATIENCE_SECONDS:.0f} s after the last edit: {status.backlog} in the outbox, "
        f"{status.pending} in the streams, {orgs} with changes between table and Salesforce. "
        "Run it again with --keep and look into the logs in its folder."
    )
