"""The tables, rules and audit of a demo of three orgs, replicated when a test says so."""

from __future__ import annotations

import contextlib
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pipeline.connect import Connection, SalesforceOrg
from pipeline.demo.objects import MAPPINGS, org_names
from pipeline.demo.proof import prove
from pipeline.demo.world import install_rules
from pipeline.postgres.queries import load
from pipeline.processes.drain import run_drain
from pipeline.settings import Settings, Url
from pipeline.signals import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.demo.verdict import DemoVerdict
    from stages.rules.model import RuleSet

ORGS = org_names(3)


class Replica:
    """Three orgs with a rule set: `user` writes as an application, `replicate` drains, `verdict` proves."""

    def __init__(self, settings: Settings, user: psycopg.Connection, rule_set: RuleSet) -> None:
        self.user = user
        self._settings = settings
        self._rule_set = rule_set

    def add_account(self, ext_id: str, **values: Any) -> None:
        """A user of emea makes an account."""
        row = {"name": "Acme", "billingcountry": "France", "status__c": "Active", "phone": "0"} | values
        self.user.execute(
            "INSERT INTO emea.account (ext_id__c, name, billingcountry, status__c, phone) "
            "VALUES (%(ext_id)s, %(name)s, %(billingcountry)s, %(status__c)s, %(phone)s)",
            {**row, "ext_id": ext_id},
        )

    def rename(self, ext_id: str, name: str) -> None:
        """A user of emea renames one."""
        self.user.execute("UPDATE emea.account SET name = %s WHERE ext_id__c = %s", [name, ext_id])

    def replicate(self) -> None:
        """Carry everything over, and on."""
        with contextlib.closing(Stop()) as stop:
            run_drain(self._settings, stop)  # into the hub
            run_drain(self._settings, stop)  # and from there

    def verdict(self) -> DemoVerdict:
        """What the proof finds now."""
        return prove(self.user, self._rule_set)

    @contextlib.contextmanager
    def zombie(self) -> Iterator[psycopg.Connection]:
        """A session that looks like a worker's, as of one that should long have stopped."""
        url = str(self._settings.database_url)
        with psycopg.connect(url, autocommit=True, application_name="orgstream-worker") as connection:
            yield connection


@pytest.fixture
def replica(migrated: None, database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Replica]:
    rng = random.Random(1)

    def now() -> datetime:
        return datetime.now(UTC)

    with psycopg.connect(database_url, autocommit=True) as user:
        user.execute(load("demo")["install"])
        for name in ORGS:
            org = SalesforceOrg(name, clock=now, rng=rng)
            with Connection(database_url, name, MAPPINGS, org=org, clock=now, rng=rng) as heroku:
                heroku.install()
        rule_set = install_rules(user, tmp_path / "rules", ORGS)
        settings = Settings(database_url=Url(database_url), redis_url=Url(redis_url), partitions=4)
        yield Replica(settings, user, rule_set)
