"""The tutorial of README.md works as written, whichever way its reader goes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from pipeline.embedded.redis import find_program
from tests.docs.pages import README
from tests.docs.tutorial import Tutorial, looks_like
from tests.fixtures.environment import postgres_bindir

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of a reader who has installed Orgstream, and has psql."""
    programs = tmp_path / "bin"
    programs.mkdir()
    command = programs / "orgstream"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipeline "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    path = os.pathsep.join((str(programs), str(postgres_bindir()), os.environ["PATH"]))
    servers = {"PG_BINDIR": str(postgres_bindir()), "REDIS_SERVER": str(find_program())}
    return {**os.environ, **servers, "PATH": path, "TERM": "dumb", "PAGER": "cat"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the reader works."""
    folder = tmp_path / "reader"
    folder.mkdir()
    return folder


@pytest.mark.slow
def test_on_servers_of_ones_own(
    folder: Path, environment: dict[str, str], database_url: str, redis_url: str
) -> None:
    environment |= {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    tutorial = Tutorial(README, "own", folder, environment)
    tutorial.run()
    assert tutorial.ran >= 35
    with psycopg.connect(database_url) as connection:  # undone, as the page promises
        assert connection.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal").fetchone() == (0,)


@pytest.mark.slow
def test_without_servers(folder: Path, environment: dict[str, str]) -> None:
    tutorial = Tutorial(README, "up", folder, environment)
    tutorial.run()
    assert tutorial.ran >= 25


@pytest.mark.parametrize(
    ("printed", "shown", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\n", False),
        ("a\nb\nc\n", "a\n…\n", True),
        ("a\n", "a\n…\n", True),
        ("up 3 s\n", "up … s\n", True),
        ("up 3 s, dead 1\n", "up … s\n", False),
        ("x\n", "…\ny\n", False),
    ],
)
def test_what_is_shown_is_compared(printed: str, shown: str, same: bool) -> None:
    assert looks_like(printed, shown) == same
