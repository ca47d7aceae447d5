"""A second cluster whose transaction ids are far ahead of the session's."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from psycopg import sql

from pipeline.embedded import EmbeddedPostgres
from tests.fixtures.environment import postgres_bindir, server_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BURNT: Final = 60_000
BURN: Final = """
DO $$ BEGIN FOR i IN 1..60000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$
"""
_numbers: Final = itertools.count(1)


@pytest.fixture(scope="package")
def aged_server(postgres_server: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """It has used many transaction ids more than the session's server."""
    settings = {"fsync": "off", "shared_buffers": "32MB"}
    with (
        server_folder("aged") as folder,
        EmbeddedPostgres(folder, settings=settings, bindir=postgres_bindir()) as server,
    ):
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(BURN)
        yield server


@pytest.fixture
def database_on(postgres_server: EmbeddedPostgres) -> Iterator[Callable[[EmbeddedPostgres], str]]:
    """Makes an empty database on a server; dropped after the test."""
    made: list[tuple[EmbeddedPostgres, str]] = []

    def make(server: EmbeddedPostgres) -> str:
        name = f"restored_{next(_numbers)}"
        _administer(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        made.append((server, name))
        return server.url_of(name)

    yield make
    for server, name in made:
        _administer(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _administer(server: EmbeddedPostgres, statement: sql.Composed) -> None:
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(statement)
