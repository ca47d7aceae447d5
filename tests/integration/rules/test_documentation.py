"""docs/rules.md: every example is valid as it stands, and every key of a rule has its section."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.rules import declare_map, declare_rule, declare_tests
from pipeline.rules.validate import validate

if TYPE_CHECKING:
    import psycopg

PAGE: Final = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
EXAMPLES: Final = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
KEYS: Final = declare_rule.KEYS | declare_map.KEYS | declare_tests.KEYS

SCHEMA: Final = """
DROP SCHEMA emea, us CASCADE;
CREATE SCHEMA emea;
CREATE TABLE emea.account (
    id serial PRIMARY KEY, sfid varchar(18) UNIQUE, ext_id__c varchar(36) UNIQUE, name varchar(255),
    status__c text, region__c text, phone text, rating integer, _hc_lastop varchar(32), _hc_err text
);
CREATE TABLE emea.opportunity (
    id serial PRIMARY KEY, sfid varchar(18) UNIQUE, ext_id__c varchar(36) UNIQUE,
    amount__c double precision, stage__c varchar(40), _hc_lastop varchar(32)
);
CREATE TABLE emea.contact (
    id serial PRIMARY KEY, sfid varchar(18) UNIQUE, ext_id__c varchar(36) UNIQUE, lastname text,
    accountid varchar(18), owner__c text, _hc_lastop varchar(32)
);
CREATE TABLE emea.visit (visitor text, day date, note text);
CREATE SCHEMA hub;
CREATE TABLE hub.account (ext_id__c varchar(40) PRIMARY KEY, name varchar(255), region__c text);
CREATE TABLE hub.account_history (ext_id__c varchar(40) PRIMARY KEY, name varchar(255));
CREATE SCHEMA us;
CREATE TABLE us.account (
    ext_id__c text PRIMARY KEY, name varchar(255) NOT NULL, source__c text, phone text, rating smallint
);
CREATE TABLE us.opportunity (
    ext_id__c text PRIMARY KEY, amount__c numeric(12, 2), stage__c varchar(80), closed__c boolean
);
CREATE TABLE us.visit (id text PRIMARY KEY, note text);
CREATE TABLE us.contact (
    ext_id__c text PRIMARY KEY, lastname text, ownerid varchar(18), account__ext_id__c varchar(36)
);
CREATE TABLE us.owner (username text PRIMARY KEY, sfid varchar(18));
CREATE TABLE us.visitor (name text PRIMARY KEY);
"""


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_valid(connection: psycopg.Connection, tmp_path: Path, example: str) -> None:
    connection.execute(SCHEMA)
    (tmp_path / "orgstream.toml").write_text(example, encoding="utf-8")
    assert [str(fault) for fault in validate(connection, tmp_path).faults] == []


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_is_described(key: str) -> None:
    described = re.findall(r"^(?:###|-) .*$", PAGE, re.MULTILINE)
    assert any(f"`{key}`" in part for part in described)


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_stands_in_an_example(key: str) -> None:
    assert any(re.search(rf"\b{key}\b\s*=|\[rules\.{key}", example) for example in EXAMPLES)
