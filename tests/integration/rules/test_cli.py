"""`orgstream rules`: what it prints, its JSON and its exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.rules.cache import LIVE_KEY
from tests.integration.rules.command_line import FILE, run, run_json

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg
    import redis

pytestmark = pytest.mark.usefixtures("rules_file")


def test_validate(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(capsys, "validate")[:2] == (0, "no fault in 1 rule\n")
    assert run_json(capsys, "validate") == (0, {"valid": True, "faults": [], "warnings": []})
    bad = tmp_path / "bad.toml"
    bad.write_text(FILE.replace("from =", "form ="))
    code, out, err = run(capsys, "validate", str(bad))
    assert (code, err) == (2, "2 faults\n")
    assert "bad.toml:6: rule accounts: `from` is missing (for example " in out.splitlines()[0]
    code, found = run_json(capsys, "validate", str(bad))
    assert (code, found["valid"]) == (2, False)
    assert found["faults"][1] == {
        "file": str(bad),
        "line": 8,
        "column": 1,
        "rule": "accounts",
        "message": "unknown key `form`",
        "suggestion": "did you mean `from`?",
    }


def test_warnings_stop_nothing(capsys: pytest.CaptureFixture[str], rules_file: Path) -> None:
    rules_file.write_text(FILE.replace("COALESCE(left(name, 80), '')", "name"))
    wide = "warning: orgstream.toml:11: rule accounts: `name` is character varying(80), and `name` character"
    for command in ("validate", "plan", "apply"):
        code, _, err = run(capsys, command)
        first, second = err.splitlines()
        assert (code, first.startswith(wide), "`name` cannot be NULL" in second) == (0, True, True)
    code, found = run_json(capsys, "validate")
    assert (code, found["valid"], [warning["line"] for warning in found["warnings"]]) == (0, True, [11, 11])


def test_failing_tests_stop_plan_and_apply(
    capsys: pytest.CaptureFixture[str], connection: psycopg.Connection, rules_file: Path
) -> None:
    rules_file.write_text(FILE + '[[rules.tests]]\ngiven = { ext_id__c = "x" }\nexpect = "none"\n')
    for command in ("validate", "plan", "apply"):
        code, out, err = run(capsys, command)
        assert code == 2
        assert "orgstream.toml:12: rule accounts: test #1: expected none, found enter" in out + err
    assert connection.execute("SELECT count(*) FROM orgstream.rule_set").fetchone() == (0,)


def test_plan_and_apply(
    capsys: pytest.CaptureFixture[str], connection: psycopg.Connection, client: redis.Redis
) -> None:
    connection.execute("INSERT INTO emea.account (ext_id__c) VALUES ('x')")
    code, out, _ = run(capsys, "plan")
    assert code == 0
    assert "+ rule accounts from emea.account to us.account (records: 1 enter)" in out.splitlines()
    code, planned = run_json(capsys, "plan")
    assert (code, planned["live_version"], planned["empty"]) == (0, 0, False)
    assert planned["rules"][0]["records"]["enter"] == 1
    code, out, err = run(capsys, "apply")
    assert (code, out.splitlines()[-1], err) == (0, "rule set 1 is live", "")
    assert client.get(LIVE_KEY) == b"1"
    code, applied = run_json(capsys, "apply")
    assert (code, applied["version"], applied["published"], applied["empty"]) == (0, 1, True, True)


def test_faults_stop_plan_and_apply(
    capsys: pytest.CaptureFixture[str], connection: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "orgstream.toml").write_text(FILE.replace("from =", "form ="))
    for command in ("plan", "apply"):
        code, _, err = run(capsys, command)
        assert code == 2
        assert err.startswith(
            "orgstream: the rules have 2 faults; nothing was changed:\n  orgstream.toml:6: "
        )
    assert connection.execute("SELECT count(*) FROM orgstream.rule_set").fetchone() == (0,)


def test_rules_are_live_even_if_redis_is_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, connection: psycopg.Connection
) -> None:
    monkeypatch.setenv("REDIS_URL", "unix:///nowhere/redis.sock")
    code, out, err = run(capsys, "apply")
    assert (code, out.splitlines()[-1]) == (0, "rule set 1 is live")
    assert "warning: the rules are live, but Redis was not told" in err
    assert "workers notice within 60 s" in err
    assert connection.execute("SELECT version FROM orgstream.rule_set").fetchall() == [(1,)]


def test_export(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "export")
    assert (code, err) == (2, "orgstream: no rules are live yet. Apply some with: orgstream rules apply\n")
    run(capsys, "apply")
    code, out, _ = run(capsys, "export")
    assert code == 0
    assert 'name = "accounts"' in out
    assert run_json(capsys, "export")[1]["rules"][0]["name"] == "accounts"
    new = tmp_path / "rules" / "live.toml"
    assert run(capsys, "export", str(new))[0] == 1  # there is no such folder
    new.parent.mkdir()
    assert run(capsys, "export", str(new))[0] == 0
    assert new.read_text() == out
    code, _, err = run(capsys, "export", str(new))
    assert (code, err) == (2, f"orgstream: {new} is there already. Name another file, or add --force.\n")
    assert run(capsys, "export", "--force", str(new))[0] == 0
    assert run(capsys, "plan", str(new.parent))[:2] == (0, "no difference: rule set 1 says the same\n")


def test_no_rules_file(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGSTREAM_RULES", "elsewhere.toml")
    code, _, err = run(capsys, "validate")
    assert code == 2
    assert err.startswith("orgstream: there is no rules file elsewhere.toml.")


def test_a_database_without_our_schema(
    capsys: pytest.CaptureFixture[str], connection: psycopg.Connection
) -> None:
    connection.execute("DROP SCHEMA orgstream CASCADE")
    assert run(capsys, "validate")[0] == 0
    for command in ("plan", "apply", "export"):
        code, _, err = run(capsys, command)
        assert (code, "orgstream migrate" in err) == (2, True)


def test_no_database_url(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    code, _, err = run(capsys, "validate")
    assert (code, "DATABASE_URL is not set" in err) == (2, True)
