"""Each command of the runbook, "When something is wrong", is run as it stands there, on a live deployment."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from tests.docs.pages import DOCS, blocks, read
from tests.fixtures.orgs import ORGS, RULES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.processes import RunCommand, StartCommand

PAGE: Final = DOCS / "operations.md"
ENDLESS: Final = {"top"}  # until it is told to end


def steps() -> list[list[str]]:
    """The commands of the runbook, each once, as words without `orgstream`."""
    begin = read(PAGE).count("\n", 0, read(PAGE).index("\n## When something is wrong"))
    lines = [line for b in blocks(PAGE, "sh") if b.line > begin for line in b.text.splitlines()]
    words = dict.fromkeys(tuple(shlex.split(line, comments=True)) for line in lines)
    return [list(command[1:]) for command in words if command and command[0] == "orgstream"]


@pytest.fixture
def env(
    database_url: str, redis_url: str, orgstream: RunCommand, start_orgstream: StartCommand, tmp_path: Path
) -> dict[str, str]:
    """A deployment whose rule has a dead letter, and is paused for it."""
    env = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "ORGSTREAM_BREAKER_LETTERS": "1"}
    rules = RULES.replace('"contacts"', '"accounts-emea-to-us"')  # the name that the page uses
    (tmp_path / "orgstream.toml").write_text(rules, encoding="utf-8")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(ORGS)
        for command in (["migrate"], ["rules", "apply"]):
            assert orgstream(*command, env=env).code == 0
        for kind in ("relay", "worker"):
            start_orgstream(kind, env=env).await_line("action=started")
        connection.execute("INSERT INTO emea.contact VALUES ('c', 'a', NULL)")
        orgstream("drain", env=env)
        assert connection.execute("SELECT FROM orgstream.dead_letter").rowcount == 1
    return env


def test_each_step_of_the_runbook_runs(
    env: dict[str, str], orgstream: RunCommand, start_orgstream: StartCommand
) -> None:
    failed = {}
    for step in steps():
        if step[0] in ENDLESS:
            process = start_orgstream(*step, env=env)
            process.await_line("{")
            code, said = process.stop(), process.output
        else:
            done = orgstream(*step, env=env)
            code, said = done.code, done.stdout + done.stderr
        if code != 0:
            failed[" ".join(step)] = said
    assert not failed


def test_the_runbook_has_steps() -> None:
    assert ["status"] in steps()
    assert ["rules", "resume", "accounts-emea-to-us"] in steps()
