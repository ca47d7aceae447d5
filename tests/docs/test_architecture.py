"""docs/architecture.md: its tables of tables and keys are those of the database and of the code."""

from __future__ import annotations

import re

import psycopg

from pipeline.postgres.migrate import migrate
from pipeline.redis import keys
from tests.docs.pages import DOCS, first_column, section

PAGE = DOCS / "architecture.md"
TABLES = """
SELECT relname, obj_description(c.oid, 'pg_class')
FROM pg_class AS c
WHERE
    relnamespace = 'orgstream'::regnamespace AND relkind IN ('r', 'v', 'p', 'S') AND NOT relispartition
    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'i')
"""
UNCOMMENTED = """
SELECT c.relname || '.' || a.attname
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON c.oid = a.attrelid
WHERE
    c.relnamespace = 'orgstream'::regnamespace AND c.relkind IN ('r', 'v', 'p') AND NOT c.relispartition
    AND a.attnum > 0 AND NOT a.attisdropped
    AND col_description(c.oid, a.attnum) IS NULL
"""


def test_the_tables_are_those_of_the_schema_with_their_comments(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        migrate(connection)
        there: dict[str, str] = dict(connection.execute(TABLES).fetchall())
        assert connection.execute(UNCOMMENTED).fetchall() == []
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", section(PAGE, "Tables in Postgres"), re.MULTILINE)
    assert dict(rows) == there


def test_the_keys_are_those_of_the_code() -> None:
    listed = {key.replace("{pNN}", "{p07}") for key in first_column(section(PAGE, "Keys in Redis"))}
    named = set(re.findall(r"^orgstream:\S+", keys.__doc__ or "", re.MULTILINE))
    families = tuple(key.removesuffix("...") for key in named if key.endswith("..."))
    exact = {key for key in named if not key.endswith("...")}
    assert len(named) > 5
    assert {key for key in listed if not key.startswith(families)} == exact
    assert all(any(key.startswith(family) for key in listed) for family in families)


def test_the_glossary_is_in_order() -> None:
    terms = re.findall(r"^\| ([a-z][^|]*?) \|", section(PAGE, "Glossary"), re.MULTILINE)[1:]
    assert len(terms) > 20
    assert terms == sorted(terms)
