"""Plans: what would change, and how many records each rule takes, counted by Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pipeline.rules import store, touched
from pipeline.rules.plan import plan
from pipeline.rules.plan_text import lines
from pipeline.rules.touched import Counter, Touched
from pipeline.rules.validate import validate
from stages.rules.difference import difference

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import sql

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
    assert found.touched == {"active": Touched(649), "all": Touched(1300)}
    assert list(lines(found)) == [
        "+ org emea",
        '    schema: none -> "emea"',
        "+ org us",
        '    schema: none -> "us"',
        "+ rule active from emea.account to us.account (records: 649 enter)",
        "+ rule all from emea.account to us.account (records: 1,300 enter)",
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
        "~ rule active version 2 from emea.account to us.account (records: 1 enter, 649 leave)",
        '    when: "status__c LIKE \'A%\' AND employees > 0" -> "employees = 1"',
        "- rule all from emea.account to us.account (records: 1,300 leave)",
        "+ rule everyone from emea.account to us.account (switched off; touches no record)",
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


def test_values_that_change(connection: psycopg.Connection, candidate: RuleSet, tmp_path: Path) -> None:
    store.apply(connection, candidate)
    connection.execute("UPDATE emea.account SET name = CASE WHEN employees < 5 THEN 'ann' ELSE 'ANN' END")

    def counted(before: str, after: str) -> Touched:
        assert before in FILE
        return plan(connection, candidate_of(connection, tmp_path, FILE.replace(before, after))).touched[
            "all"
        ]

    assert counted('"upper(name)"', '"lower(name)"') == Touched(change=1300)
    assert counted('"upper(name)"', '"name"') == Touched(change=3)  # 1 to 3; employees is NULL for 4
    assert counted('"upper(name)"', "\"upper(name) || ''\"") == Touched()
    assert (
        counted('"upper(name)"', '{ expr = "name", values = { ann = "ANN" }, default = "name" }') == Touched()
    )
    assert (
        counted('"upper(name)"', '{ expr = "name", values = { ann = "Ann" }, default = "name" }').change == 3
    )
    assert counted('active__c = "true"', 'active__c = "employees > 2"') == Touched(
        change=3
    )  # 1, 2 and the NULL
    assert counted(', active__c = "true"', "") == Touched()  # it is left alone from now on
    assert counted('active__c = "true"', 'active__c = "true", status__c = "status__c"') == Touched(
        change=1300
    )
    assert counted(
        'key = { ext_id__c = "ext_id__c" }\nmap = { name = "upper',
        'when = "employees > 2"\nkey = { ext_id__c = "ext_id__c || \'\'" }\nmap = { name = "lower',
    ) == Touched(0, 3, 1297)


def test_a_rule_that_leads_elsewhere(
    connection: psycopg.Connection, candidate: RuleSet, tmp_path: Path
) -> None:
    store.apply(connection, candidate)
    connection.execute("CREATE TABLE us.customer (ext_id__c text PRIMARY KEY, name text, active__c boolean)")
    head, tail = FILE.rsplit("us.account", 1)
    elsewhere = plan(connection, candidate_of(connection, tmp_path, f"{head}us.customer{tail}"))
    assert elsewhere.touched == {"all": Touched(1300, 1300)}
    off = plan(connection, candidate_of(connection, tmp_path, f"{FILE}enabled = false"))
    assert off.touched == {"all": Touched(leave=1300)}
    assert "(switched off; records: 1,300 leave)" in next(line for line in lines(off) if "rule all" in line)


def test_a_count_that_takes_too_long_is_unknown(connection: psycopg.Connection, candidate: RuleSet) -> None:
    connection.execute("ALTER TABLE emea.account RENAME TO account_")
    connection.execute("CREATE VIEW emea.account AS SELECT *, pg_sleep(1)::text AS slept FROM emea.account_")
    found = plan(connection, candidate, count_seconds=0.01)
    assert str(found.touched["all"]) == "records unknown: took longer than 0.01 s"
    assert found.as_data()["rules"][1]["records"]["unknown"] == "took longer than 0.01 s"


def test_a_large_count_is_estimated(
    connection: psycopg.Connection, candidate: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touched, "_SAMPLED_BLOCKS", 2)
    counts = iter([psycopg.errors.QueryCanceled("too long")])

    class OnceTooLong(Counter):
        """Whose first count takes too long."""

        def _run(self, parts: dict[str, sql.Composable]) -> Touched:
            for error in counts:
                raise error
            return super()._run(parts)

    (_, everything) = difference(None, candidate).rules
    found = OnceTooLong(connection, 5).count(everything, candidate)
    assert found.estimated
    assert 300 <= found.enter <= 5000  # two blocks or so are few to tell by
    assert str(found) == f"records: about {found.enter:,} enter (estimated from a sample)"


def test_all_counts_together_are_limited(connection: psycopg.Connection, candidate: RuleSet) -> None:
    clock = iter([0.0, 59.0, 60.0])
    counter = Counter(connection, 5, lambda: next(clock))
    found = [counter.count(change, candidate) for change in difference(None, candidate).rules]
    assert found == [Touched(649), Touched(unknown="the time for all counts is used up")]


@pytest.mark.usefixtures("candidate")
def test_a_count_that_fails_is_unknown(connection: psycopg.Connection, tmp_path: Path) -> None:
    odd = FILE.replace("employees > 0", "10 / (employees - 2) > 0")
    found = plan(connection, candidate_of(connection, tmp_path, odd))
    assert found.touched["active"] == Touched(unknown="division by zero")
    assert found.touched["all"] == Touched(1300)


@pytest.mark.usefixtures("candidate")
def test_circles_are_said(connection: psycopg.Connection, tmp_path: Path) -> None:
    back = """
[[rules]]
name = "back"
from = "us.account"
to = "emea.account"
key = { ext_id__c = "ext_id__c" }
map = { name = "name" }
"""
    settles = (
        "both ways between emea.account, us.account (rules active, all, back): "
        "a change goes over once, and is not sent back to the org that it came from; "
        "what comes back from Salesforce of what was written there is known for an echo"
    )
    rewritten = (
        "    us.account.name = upper(name), and back emea.account.name = name: each org keeps its own form; "
        "should automation rewrite it there, the record is set aside after ORGSTREAM_ECHO_ROUNDS rounds"
    )
    said = [settles, rewritten]
    candidate = candidate_of(connection, tmp_path, FILE + back)
    assert list(lines(plan(connection, candidate)))[-2:] == said
    store.apply(connection, candidate)
    live = plan(connection, candidate)
    assert list(lines(live)) == ["no difference: rule set 1 says the same", *said]
    assert list(live.as_data()["circles"][0]["rules"]) == ["active", "all", "back"]


def test_a_plan_without_counts(connection: psycopg.Connection, candidate: RuleSet) -> None:
    found = plan(connection, candidate, count_seconds=None)
    assert "+ rule all from emea.account to us.account" in list(lines(found))
    assert found.as_data()["rules"][0]["records"]["unknown"] == "not counted"
