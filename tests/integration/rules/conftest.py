"""A migrated database with two orgs: emea as Heroku Connect makes it, us of plain tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
import redis

from tests.integration.rules.command_line import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORGS = """
CREATE SCHEMA emea;
CREATE TABLE emea._trigger_log (id integer PRIMARY KEY);
CREATE TABLE emea._hcmeta (org_id varchar(50));
CREATE TABLE emea.account (
    id serial PRIMARY KEY,
    sfid varchar(18) UNIQUE,
    ext_id__c varchar(36),
    name varchar(255),
    status__c varchar(40),
    amount__c double precision,
    employees integer,
    isdeleted boolean,
    systemmodstamp timestamp,
    _hc_lastop varchar(32),
    _hc_err text
);
CREATE UNIQUE INDEX hcu_idx_account_ext_id__c ON emea.account (ext_id__c);
CREATE TABLE emea.price (id serial PRIMARY KEY, sfid varchar(18) UNIQUE, name varchar(80));
CREATE TABLE emea.log (message text);
CREATE VIEW emea.accounts AS SELECT * FROM emea.account;

CREATE SCHEMA us;
CREATE TABLE us.account (
    ext_id__c varchar(36) PRIMARY KEY,
    name varchar(80) NOT NULL,
    status__c text,
    amount__c numeric(12, 2),
    employees integer,
    active__c boolean NOT NULL DEFAULT true,
    name_length integer GENERATED ALWAYS AS (length(name)) STORED,
    number integer GENERATED ALWAYS AS IDENTITY
);
CREATE UNIQUE INDEX ON us.account (status__c) WHERE active__c;
CREATE UNIQUE INDEX ON us.account (lower(name));
CREATE TABLE us.order_line (order_no text, line integer, item text, UNIQUE (line, order_no));
"""


@pytest.fixture
def connection(migrated: None, database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(ORGS)
        yield connection


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url, protocol=2) as client:
        yield client


@pytest.fixture
def rules_file(
    monkeypatch: pytest.MonkeyPatch,
    connection: psycopg.Connection,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
) -> Path:
    """The command line's rules file in its own folder, with the database and Redis to use."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "orgstream.toml"
    file.write_text(FILE)
    return file
