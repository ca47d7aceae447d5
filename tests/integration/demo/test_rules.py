"""The demo's rules are right for any number of orgs."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pytest

from pipeline.connect import Connection, SalesforceOrg
from pipeline.demo.objects import HUB, MAPPINGS, MOST_ORGS, org_names, sends
from pipeline.demo.rules_files import write_rules
from pipeline.rules.validate import validate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("count", [2, 3, MOST_ORGS])
def test_they_have_no_fault(database_url: str, tmp_path: Path, count: int) -> None:
    names = org_names(count)
    for name in names:
        install(database_url, name)
    with psycopg.connect(database_url, autocommit=True) as connection:
        rule_set = validate(connection, write_rules(tmp_path / "rules", names)).require()
    ways = {(rule.source.org, rule.target.org) for rule in rule_set.rules}
    assert ways == {(name, HUB) if sends(name) else (HUB, name) for name in names if name != HUB}
    assert len(rule_set.rules) == 3 * len(ways)


def test_each_region_has_its_own_name_in_them(tmp_path: Path) -> None:
    folder = write_rules(tmp_path / "rules", org_names(4))
    apac = (folder / "apac.toml").read_text(encoding="utf-8")
    assert "'APAC: ' || name" in apac
    assert "emea" not in apac.lower()
    assert "status__c" in apac


def install(url: str, name: str) -> None:
    org = SalesforceOrg(name, clock=now, rng=random.Random(1))
    with Connection(url, name, MAPPINGS, org=org, clock=now, rng=random.Random(1)) as heroku:
        heroku.install()


def now() -> datetime:
    return datetime.now(UTC)
