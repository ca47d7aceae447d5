"""The oracle: a session on a Postgres database whose collation the rule language follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.property.expression_postgres import Oracle, create_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.embedded import EmbeddedPostgres


@pytest.fixture(scope="package")
def oracle_url(postgres_server: EmbeddedPostgres) -> str:
    """Its database, made anew."""
    return postgres_server.url_of(create_database(postgres_server.url))


@pytest.fixture(scope="module")
def oracle(oracle_url: str) -> Iterator[Oracle]:
    """A session of its own for each module."""
    session = Oracle(oracle_url)
    yield session
    session.close()
