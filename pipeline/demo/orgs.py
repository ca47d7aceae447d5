"""The process of the orgs: every simulated org with its Heroku Connect, and the users at work in them.

It takes its part from the table orgstream_demo.phase, and tells in orgstream_demo.org how it stands.
"""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
import psycopg

from pipeline.connect import Connection, SalesforceOrg
from pipeline.demo.calm import Calm
from pipeline.demo.desk import Desk
from pipeline.demo.objects import MAPPINGS, sends
from pipeline.demo.pace import Pace
from pipeline.demo.users import Users
from pipeline.postgres.queries import load
from pipeline.proof.chance import chance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.connect.loop import Delays
    from pipeline.settings import Settings
    from pipeline.signals import Stop

#: Heroku Connect waits up to ten seconds before it writes and two minutes and more between polls; nobody
#: would watch that.
_DELAYS: Final[Delays] = {"write_delay": 0.2, "poll_seconds": 0.4, "echo_delay": 0.1, "jitter": 0.5}
_LOOK_SECONDS: Final = 0.05
INSTALL, LOAD, EDIT, REST = "install", "load", "edit", "rest"


class Plan(msgspec.Struct, frozen=True):
    """What the orgs are told at their start. `rate` is of all users' edits together, in edits/s."""

    orgs: tuple[str, ...]
    seed: int
    rate: float
    records: int  # that each sending org begins with; the others begin with a quarter of that


def run_orgs(settings: Settings, plan: Plan, stop: Stop) -> None:
    """Run until told to stop. Raises ConfigurationError, psycopg.Error."""
    url = str(settings.require_database_url())
    with contextlib.ExitStack() as stack:
        control = stack.enter_context(psycopg.connect(url, autocommit=True, application_name="demo orgs"))
        calm = Calm(time.monotonic)
        sites = list(_open(url, plan, calm, stack))
        phase = ""
        pace = stack.enter_context(Pace([site.users.edit for site in sites], rate=plan.rate))
        rounds = 0
        began = time.monotonic()
        while not stop.wait(_LOOK_SECONDS):
            wanted = _phase(control)
            if wanted != phase:
                phase = wanted
                _enter(phase, sites, pace, plan)
            for site in sites:
                site.step()
            rounds += 1
            ended = time.monotonic()
            calm.turned(ended - began)
            began = ended
            pace.check()
            for site in sites:
                site.tell(control, phase, rounds)


class _Site:
    """One org with its add-on and its users."""

    def __init__(self, connection: Connection, users: Users) -> None:
        self.users = users
        self._connection = connection
        self._outstanding = True

    def install(self) -> None:
        self._connection.install()

    def step(self) -> None:
        self._outstanding = self._connection.step()

    def tell(self, control: psycopg.Connection, phase: str, rounds: int) -> None:
        control.execute(
            load("demo")["note_org"],
            {
                "name": self.users.org,
                "phase": phase,
                "rounds": rounds,
                "outstanding": self._outstanding,
                **msgspec.structs.asdict(self.users.tally),
            },
        )


def _open(url: str, plan: Plan, calm: Calm, stack: contextlib.ExitStack) -> Iterator[_Site]:
    shared: list[str] = []
    for name in plan.orgs:
        application = stack.enter_context(
            psycopg.connect(url, autocommit=True, application_name=f"users of {name}")
        )
        rng = chance(plan.seed, f"org {name}")
        org = SalesforceOrg(name, clock=_now, rng=rng)
        connection = stack.enter_context(
            Connection(
                url, name, MAPPINGS, org=org, clock=_now, rng=chance(plan.seed, f"delays {name}"), **_DELAYS
            )
        )
        desk = Desk(org, application, chance(plan.seed, f"desk {name}"))
        yield _Site(connection, Users(desk, shared, seed=plan.seed, calm=calm))


def _enter(phase: str, sites: Sequence[_Site], pace: Pace, plan: Plan) -> None:
    if phase == INSTALL:
        for site in sites:
            site.install()
    elif phase == LOAD:
        for site in sites:
            site.users.load(plan.records if sends(site.users.org) else plan.records // 4)
    elif phase == EDIT:
        pace.begin()
    elif phase == REST:
        pace.end()


def _phase(control: psycopg.Connection) -> str:
    row = control.execute(load("demo")["phase"]).fetchone()
    return str(row[0]) if row else REST


def _now() -> datetime:
    return datetime.now(UTC)
