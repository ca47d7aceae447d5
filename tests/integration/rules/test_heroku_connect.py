"""The tables that Heroku Connect makes are recognised for what they are."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psycopg
import pytest

from pipeline.connect import Mapping
from pipeline.rules.catalogue import introspect
from stages.rules.identity import identity_of
from tests.integration.connect.world import MAPPINGS, USER, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stages.rules.facts import TableFacts

WITHOUT_STATES = [*MAPPINGS[:3], Mapping(USER, read_only=True, bookkeeping=False)]


@pytest.mark.parametrize("mappings", [MAPPINGS, WITHOUT_STATES], ids=["with states", "users without states"])
def test_mapped_tables(database_url: str, mappings: Sequence[Mapping]) -> None:
    names = [("emea", name) for name in ("account", "contact", "note__c", "user")]
    with contextlib.closing(World(database_url, mappings)), psycopg.connect(database_url) as connection:
        tables = introspect(connection, names).tables
    found: dict[str, TableFacts] = {name: table for (_, name), table in tables.items()}
    assert {table.connector for table in found.values()} == {"heroku-connect"}
    assert {name for name, table in found.items() if table.read_only} == {"user"}
    assert identity_of(found["account"], []) == ("ext_id__c",)
    assert identity_of(found["note__c"], []) == ("sfid",)
    writable = {column.name for column in found["account"].columns if column.writable}
    assert {"name", "ext_id__c"} <= writable
    assert not writable & {
        "id",
        "sfid",
        "systemmodstamp",
        "createddate",
        "isdeleted",
        "_hc_lastop",
        "_hc_err",
    }
