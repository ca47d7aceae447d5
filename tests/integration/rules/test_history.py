"""`orgstream rules history` and `rollback`: what was live when, and making it live again."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING

import pytest

from pipeline.rules.cache import LIVE_KEY
from tests.integration.rules.command_line import FILE, run, run_json

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg
    import redis

SECOND = FILE.replace("left(name, 80)", "upper(left(name, 80))")
OTHER = """
[[rules]]
name = "names"
from = "us.account"
to = "emea.account"
key = { ext_id__c = "ext_id__c" }
map = { name = "name" }
"""


@pytest.fixture(autouse=True)
def _three_versions(rules_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """accounts; accounts changed; and names besides."""
    for text, reason in ((FILE, "a beginning"), (SECOND, "shout"), (SECOND + OTHER, "and back")):
        rules_file.write_text(text)
        assert run(capsys, "apply", "--reason", reason)[0] == 0


def test_the_history(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "history")
    assert code == 0
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert [head.split("  ")[0] for head in heads] == ["rule set 3", "rule set 2", "rule set 1"]
    assert f"{getpass.getuser()} (role " in heads[0]
    assert heads[0].endswith("): and back")
    before, after = (
        {"expr": f"COALESCE({text}, '')"} for text in ("left(name, 80)", "upper(left(name, 80))")
    )
    changed = f"      map.name: {json.dumps(before)} -> {json.dumps(after)}".replace('": ', '":')
    assert changed in out.splitlines()
    code, found = run_json(capsys, "history", "--limit", "2")
    assert [version["version"] for version in found["versions"]] == [3, 2]
    newest, second = found["versions"]
    assert (newest["person"], newest["reason"], newest["restored"]) == (getpass.getuser(), "and back", None)
    assert [(rule["name"], rule["change"]) for rule in newest["rules"]] == [("names", "added")]
    assert [(rule["name"], rule["change"], rule["version"]) for rule in second["rules"]] == [
        ("accounts", "changed", 2)
    ]


def test_the_history_of_one_rule(capsys: pytest.CaptureFixture[str], connection: psycopg.Connection) -> None:
    connection.execute(
        "INSERT INTO orgstream.applied (change_id, rule_id, rule_version)"
        " SELECT n, 1, CASE WHEN n < 4 THEN 1 ELSE 2 END FROM generate_series(1, 5) AS n"
    )
    code, found = run_json(capsys, "history", "accounts")
    assert code == 0
    assert [version["version"] for version in found["versions"]] == [2, 1]
    assert [(ledger["rule_version"], ledger["writes"]) for ledger in found["written"]] == [(2, 2), (1, 3)]
    code, out, _ = run(capsys, "history", "accounts")
    assert "version 1 of accounts: 3 writes in the ledger, " in out
    assert "names" not in out
    code, _, err = run(capsys, "history", "acounts")
    assert (code, "there never was a rule acounts" in err) == (2, True)


def test_a_rollback(
    capsys: pytest.CaptureFixture[str], connection: psycopg.Connection, client: redis.Redis, rules_file: Path
) -> None:
    connection.execute("INSERT INTO emea.account (ext_id__c, name) VALUES ('x', 'Ann')")
    code, out, _ = run(capsys, "rollback", "1", "--dry-run")
    assert code == 0
    assert "~ rule accounts version 3 from emea.account to us.account (records: 1 change)" in out.splitlines()
    assert run_json(capsys, "history")[1]["versions"][0]["version"] == 3
    code, out, err = run(capsys, "rollback", "1", "--reason", "too loud")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "rule set 4 is live"
    assert "- capture on us.account" in out.splitlines()
    assert client.get(LIVE_KEY) == b"4"
    newest = run_json(capsys, "history")[1]["versions"][0]
    assert (newest["restored"], newest["reason"]) == (1, "too loud")
    assert [(rule["name"], rule["change"]) for rule in newest["rules"]] == [
        ("accounts", "changed"),
        ("names", "removed"),
    ]
    rules_file.write_text(FILE)
    assert run(capsys, "plan")[1] == "no difference: rule set 4 says the same\n"


def test_without_a_version_it_goes_one_back(capsys: pytest.CaptureFixture[str], rules_file: Path) -> None:
    assert run_json(capsys, "rollback")[1]["version"] == 4  # says what 2 said
    rules_file.write_text(SECOND)
    assert run_json(capsys, "plan")[1]["empty"]
    assert run_json(capsys, "rollback")[1]["version"] == 5  # and further back: 1
    rules_file.write_text(FILE)
    assert run_json(capsys, "plan")[1]["empty"]
    code, _, err = run(capsys, "rollback")
    assert (code, err) == (
        2,
        "orgstream: there is no earlier rule set to go back to. See: orgstream rules history\n",
    )


def test_a_rollback_installs_capture_again(
    capsys: pytest.CaptureFixture[str], connection: psycopg.Connection, rules_file: Path
) -> None:
    rules_file.write_text(FILE)
    run(capsys, "apply")
    code, out, _ = run(capsys, "rollback", "3")
    assert (code, "+ capture on us.account, records told apart by ext_id__c" in out.splitlines()) == (0, True)
    connection.execute("INSERT INTO us.account (ext_id__c, name) VALUES ('x', 'Ann')")
    assert connection.execute("SELECT table_schema FROM orgstream.change_queue").fetchall() == [("us",)]


def test_what_no_longer_fits_the_tables_is_refused(
    capsys: pytest.CaptureFixture[str], connection: psycopg.Connection
) -> None:
    connection.execute("DROP VIEW emea.accounts; ALTER TABLE emea.account RENAME name TO title")
    code, _, err = run(capsys, "rollback", "1")
    assert code == 2
    said = "for today's tables the rules of version 1 have 1 fault; nothing was changed:\n  rule set 1:"
    assert err.startswith(f"orgstream: {said}")
    assert "unknown column name" in err
    line = int(err.split("rule set 1:")[1].split(":")[0])
    assert run(capsys, "export", "--version", "1")[1].splitlines()[line - 1].startswith("name = ")
    assert run_json(capsys, "history")[1]["versions"][0]["version"] == 3


@pytest.mark.parametrize("command", [("rollback", "9"), ("export", "--version", "9")])
def test_a_version_that_never_was(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    code, _, err = run(capsys, *command)
    assert (code, err) == (2, "orgstream: there is no rule set 9. See: orgstream rules history\n")
