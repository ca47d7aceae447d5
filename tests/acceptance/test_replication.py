"""Replication as it is deployed: real processes by the command line, killed and stopped under load."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.fixtures.deployment import Deployment
    from tests.fixtures.processes import RunCommand

LAYOUTS: Final = {
    "fused": ["filter,match,transform,apply"] * 2,
    "split": ["filter,match", "transform,apply"],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_everything_arrives_although_processes_are_killed(deployment: Deployment, layout: str) -> None:
    commands = [["relay"], *(["worker", "--stages", stages] for stages in LAYOUTS[layout])]
    processes = [deployment.start(*command) for command in commands]
    with deployment.load():
        for killed in ([0, 1], [2]):
            for place in killed:
                processes[place].kill()
            for place in killed:
                processes[place] = deployment.start(*commands[place])
    deployment.await_all()
    deployment.require_exact()
    for process in processes:
        process.send(signal.SIGTERM)
    assert [process.wait(seconds=10) for process in processes] == [0, 0, 0]
    held = deployment.app.execute("SELECT FROM orgstream.lease WHERE holder IS NOT NULL").rowcount
    assert held == 0


@pytest.mark.parametrize("arguments", [["relay"], ["worker"]], ids=" ".join)
class TestRefusals:
    """What is wrong from the start ends with 2 and one message."""

    @staticmethod
    def refused(orgstream: RunCommand, arguments: list[str], env: dict[str, str]) -> str:
        """The one message."""
        done = orgstream(*arguments, env=env)
        assert (done.code, done.stdout) == (2, "")
        (message,) = done.stderr.splitlines()
        return message

    def test_no_database(self, orgstream: RunCommand, env: dict[str, str], arguments: list[str]) -> None:
        del env["DATABASE_URL"]
        assert "DATABASE_URL is not set" in self.refused(orgstream, arguments, env)

    def test_a_malformed_database_url(
        self, orgstream: RunCommand, env: dict[str, str], arguments: list[str]
    ) -> None:
        message = self.refused(orgstream, arguments, env | {"DATABASE_URL": "mysql://me:secret@host/db"})
        assert "DATABASE_URL" in message
        assert "secret" not in message

    def test_an_unreachable_database(
        self, orgstream: RunCommand, env: dict[str, str], arguments: list[str]
    ) -> None:
        url = "postgresql://me:secret@127.0.0.1:1/db"
        message = self.refused(orgstream, arguments, env | {"DATABASE_URL": url})
        assert "cannot connect to Postgres at DATABASE_URL" in message
        assert "secret" not in message

    def test_an_unreachable_redis(
        self, deployment: Deployment, orgstream: RunCommand, arguments: list[str]
    ) -> None:
        message = self.refused(orgstream, arguments, deployment.env | {"REDIS_URL": "redis://127.0.0.1:1"})
        assert "cannot use Redis at REDIS_URL" in message

    def test_not_migrated(self, orgstream: RunCommand, env: dict[str, str], arguments: list[str]) -> None:
        assert "orgstream migrate" in self.refused(orgstream, arguments, env)


def test_an_unknown_stage(orgstream: RunCommand, env: dict[str, str]) -> None:
    done = orgstream("worker", "--stages", "filter,mach", env=env)
    assert (done.code, done.stdout) == (2, "")
    assert "unknown stage" in done.stderr
    assert "filter, match, transform, apply" in done.stderr
