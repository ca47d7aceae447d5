"""Plans: what would change, and how many records each rule takes, counted by Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.rules import store
from pipeline.rules.count import RecordCount
from pipeline.rules.plan import plan
from pipeline.rules.plan_text import lines
from pipeline.rules.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from stages.rules.model import RuleSet

FILE = """
[orgs.emea]
schema = "emea"
[orgs.us]
schema = "us"
[[rules]]
name = "active"
from = "emea.account"
to = "us.account"
when = "status__c LIKE 'A%' AND employees > 0"
key = { ext_id__c = "ext_id__c" }
map = { name = "name" }
[[rules]]
name = "all"
from = "emea.account"
to = "us.account"
key = { ext_id__c = "ext_id__c" }
map = { name = "upper(name)", active__c = "true" }
"""


@pytest.fixture
def candidate(connection: psycopg.Connection, tmp_path: Path) -> RuleSet:
    connection.execute(
        "INSERT INTO emea.account (ext_id__c, status__c, employees)"
        " SELECT n::text, CASE WHEN n % 2 = 0 THEN 'Active' ELSE 'Old' END, NULLIF(n, 4)"
        " FROM generate_series(1, 1300) AS n"
    )
    return candidate_of(connection, tmp_path, FILE)


def candidate_of(connection: psycopg.Connection, folder: Path, text: str) -> RuleSet:
    (folder / "orgstream.toml").write_text(text)
    return validate(connection, folder).require()


def test_a_first_plan(connection: psycopg.Connection, candidate: RuleSet) -> None:
    found = plan(connection, candidate)
    assert found.counts == {"active": RecordCount(649), "all": RecordCount(1300)}
    assert list(lines(found)) == [
        "+ org emea",
        '    schema: none -> "emea"',
        "+ org us",
        '    schema: none -> "us"',
        "+ rule active from emea.account to us.account (649 records)",
        "+ rule all from emea.account to us.account (1,300 records)",
        "+ capture on emea.account, records told apart by ext_id__c",
    ]


def test_a_plan_changes_nothing(connection: psycopg.Connection, candidate: RuleSet) -> None:
    plan(connection, candidate)
    assert store.live(connection) is None
    assert store.captured(connection) == []
    assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_applied_rules_plan_to_nothing(connection: psycopg.Connection, candidate: RuleSet) -> None:
    store.apply(connection, candidate)
    found = plan(connection, candidate)
    assert found.is_empty
    assert found.as_data()["empty"]
    assert list(lines(found)) == ["no difference: rule set 1 says the same"]


def test_a_later_plan(connection: psycopg.Connection, candidate: RuleSet, tmp_path: Path) -> None:
    store.apply(connection, candidate)
    later = FILE.replace("when = \"status__c LIKE 'A%' AND employees > 0\"", 'when = "employees = 1"')
    later = later.replace('name = "all"', 'name = "everyone"\nenabled = false')
    found = plan(connection, candidate_of(connection, tmp_path, later))
    assert list(lines(found)) == [
        "~ rule active version 2 from emea.account to us.account (1 record)",
        '    when: "status__c LIKE \'A%\' AND employees > 0" -> "employees = 1"',
        "- rule all from emea.account to us.account (1,300 records)",
        "+ rule everyone from emea.account to us.account (switched off)",
    ]


def test_a_wider_table_is_a_difference(
    connection: psycopg.Connection, candidate: RuleSet, tmp_path: Path
) -> None:
    store.apply(connection, candidate)
    connection.execute("ALTER TABLE us.account ADD fax text NOT NULL DEFAULT ''")
    found = plan(connection, candidate_of(connection, tmp_path, FILE))
    assert [line.strip() for line in lines(found)] == [
        "~ table us.account",
        'column fax: none -> {"name":"fax","type":"text","nullable":false,"has_default":true}',
    ]
    assert store.apply(connection, candidate_of(connection, tmp_path, FILE)).version == 2


def test_capture_that_goes(connection: psycopg.Connection, candidate: RuleSet, tmp_path: Path) -> None:
    store.apply(connection, candidate)
    found = plan(connection, candidate_of(connection, tmp_path, FILE.split("[[rules]]", maxsplit=1)[0]))
    assert list(lines(found))[-1] == "- capture on emea.account"


def test_a_count_that_takes_too_long_is_unknown(connection: psycopg.Connection, candidate: RuleSet) -> None:
    connection.execute("ALTER TABLE emea.account RENAME TO account_")
    connection.execute("CREATE VIEW emea.account AS SELECT *, pg_sleep(1)::text AS slept FROM emea.account_")
    found = plan(connection, candidate, count_seconds=0.01)
    assert str(found.counts["all"]) == "records unknown (took longer than 0.01 s)"
    assert found.as_data()["rules"][1]["records"] is None


@pytest.mark.usefixtures("candidate")
def test_a_count_that_fails_is_unknown(connection: psycopg.Connection, tmp_path: Path) -> None:
    odd = FILE.replace("employees > 0", "10 / (employees - 2) > 0")
    found = plan(connection, candidate_of(connection, tmp_path, odd))
    assert found.counts["active"] == RecordCount(unknown="division by zero")
    assert found.counts["all"] == RecordCount(1300)


def test_a_plan_without_counts(connection: psycopg.Connection, candidate: RuleSet) -> None:
    found = plan(connection, candidate, count_seconds=None)
    assert "+ rule all from emea.account to us.account" in list(lines(found))
    assert found.as_data()["rules"][0]["unknown"] == "not counted"
