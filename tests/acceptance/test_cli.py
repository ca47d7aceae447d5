"""The command line as people and schedulers meet it: real processes, their output and exit codes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.processes import Running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.processes import RunCommand

# What a --help must not wait for.
HEAVY = ("psycopg", "redis", "structlog", "msgspec", "sqlglot", "rich", "prometheus_client", "asyncio")
LOOP = """
from pipeline.signals import stop_on_signals
with stop_on_signals() as stop:
    print("working", flush=True)
    while not stop.wait(60):
        pass
    print("draining", flush=True)
    DRAIN
print("released", flush=True)
"""


def test_version(orgstream_anew: RunCommand) -> None:
    assert orgstream_anew("--version") == (0, "orgstream 0.1.0\n", "")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_the_commands(orgstream_anew: RunCommand, flag: str) -> None:
    done = orgstream_anew(flag)
    assert done.code == 0
    assert "Usage: orgstream [OPTIONS] COMMAND" in done.stdout
    assert re.search(r"^  settings +List every setting", done.stdout, re.MULTILINE)


def test_help_imports_only_what_it_needs(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "pipeline", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "click" in imported
    assert imported.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["setings"], "No such command 'setings'. Did you mean settings?"),
        (["settings", "--partitons", "3"], "No such option '--partitons'"),
        (["settings", "extra"], "unexpected extra argument"),
    ],
)
def test_misuse_exits_with_2(orgstream_anew: RunCommand, arguments: list[str], told: str) -> None:
    done = orgstream_anew(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert told in done.stderr


def test_settings_as_json(orgstream_anew: RunCommand) -> None:
    env = {"DATABASE_URL": "postgres://user:secret@host/db", "ORGSTREAM_RETENTION": "12h"}
    done = orgstream_anew("settings", "--json", "--partitions", "4", env=env)
    assert (done.code, done.stderr) == (0, "")
    settings = {setting["name"]: setting for setting in json.loads(done.stdout)}
    assert settings["DATABASE_URL"]["value"] == "postgres://user:***@host/db"
    assert settings["ORGSTREAM_PARTITIONS"]["value"] == 4
    retention = settings["ORGSTREAM_RETENTION"]
    assert retention.pop("meaning").endswith(".")
    assert retention == {
        "name": "ORGSTREAM_RETENTION",
        "flag": "--retention",
        "value": 43_200.0,
        "default": 604_800.0,
        "unit": "seconds",
    }


def test_settings_for_people(orgstream_anew: RunCommand) -> None:
    done = orgstream_anew(
        "settings", env={"REDIS_TLS_URL": "rediss://:secret@host", "ORGSTREAM_RETENTION": "12h"}
    )
    assert (done.code, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["name", "value", "default", "unit", "meaning"]
    assert ["ORGSTREAM_RETENTION", "12h", "7d", "seconds"] in [line[:4] for line in lines]
    assert ["REDIS_URL", "rediss://:***@host"] in [line[:2] for line in lines]


def test_wrong_settings_are_told_after_the_list(orgstream_anew: RunCommand) -> None:
    done = orgstream_anew("settings", env={"ORGSTREAM_PARTITONS": "4", "ORGSTREAM_RETENTION": "soon"})
    assert done.code == 2
    assert "ORGSTREAM_PARTITIONS" in done.stdout
    first, second = done.stderr.splitlines()
    assert first == "orgstream: ORGSTREAM_PARTITONS is not a setting. Did you mean ORGSTREAM_PARTITIONS?"
    assert second.startswith('ORGSTREAM_RETENTION is "soon": ')
    assert second.endswith(" the default is 7d.")


def test_a_reader_that_leaves_early_sees_no_traceback(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "settings"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


class TestSignals:
    """A loop as the relay's and the workers': asked to end, it drains; told twice by Ctrl-C, it leaves."""

    @pytest.fixture
    def loop(self, tmp_path: Path) -> Iterator[Running]:
        yield from self._running(LOOP.replace("DRAIN", "pass"), tmp_path)

    @pytest.fixture
    def slow_loop(self, tmp_path: Path) -> Iterator[Running]:
        yield from self._running(
            LOOP.replace("DRAIN", "import threading; threading.Event().wait(60)"), tmp_path
        )

    @staticmethod
    def _running(program: str, folder: Path) -> Iterator[Running]:
        with Running([sys.executable, "-c", program], env={}, folder=folder) as process:
            process.await_line("working")
            yield process

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_the_first_drains(self, loop: Running, number: signal.Signals) -> None:
        assert loop.stop(number) == 0
        assert loop.output.split() == ["working", "draining", "released"]

    def test_a_second_ctrl_c_leaves_at_once(self, slow_loop: Running) -> None:
        slow_loop.send(signal.SIGTERM)
        slow_loop.await_line("draining")
        assert slow_loop.stop(signal.SIGINT) == -signal.SIGINT
        assert slow_loop.output.split() == ["working", "draining"]
