"""Export: the live rules as a file that validates and plans to no difference."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from pipeline.rules import store
from pipeline.rules.export import export
from pipeline.rules.plan import plan
from pipeline.rules.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

EVERYTHING = r'''
[orgs.emea]
schema = "emea"
[orgs.emea.tables."odd table"]
identity = ["b c", "a"]
[orgs.us]
schema = "us"
[orgs.spare]
schema = "public"

[[rules]]
name = "with \"quotes\", \\ and é"
from = "emea.account"
to = "us.account"
when = """
status__c = 'Active'
  AND name <> 'a "b" \\ c'"""
on = ["insert", "delete"]
key = { ext_id__c = "COALESCE(ext_id__c, 'emea:' || sfid)" }
on_delete = { set = { active__c = "false" } }
on_unmatched = "delete"
conflict = "source"
priority = -3
enabled = false
origins = ["application", "salesforce"]
max_deletes = { count = 10, share = 0.5 }
breaker = 7
[rules.map]
name = "upper(name)"
[rules.map.status__c]
expr = "status__c"
values = { Open = "New", "a b" = "" }
default = "'Other'"
conflict = "newest"

[[rules]]
name = "odd"
from = "emea.odd table"
to = "us.order_line"
key = { order_no = "a", line = "c" }
map = {}
on_delete = "ignore"
max_deletes = { share = 0.05 }
on_unmatched = { set = { item = "NULL" } }

[[rules]]
name = "plain"
from = "us.account"
to = "emea.account"
key = { ext_id__c = "ext_id__c" }
map = { name = "name" }
max_deletes = false
'''


def test_what_is_exported_plans_to_no_difference(connection: psycopg.Connection, tmp_path: Path) -> None:
    connection.execute('CREATE TABLE emea."odd table" (a text, "b c" text, c integer)')
    file = tmp_path / "orgstream.toml"
    file.write_text(EVERYTHING, encoding="utf-8")
    live = store.apply(connection, validate(connection, file).require())
    assert len(live.rules) == 3
    file.write_text(export(live), encoding="utf-8")
    candidate = validate(connection, file).require()
    assert plan(connection, candidate).is_empty
    assert store.apply(connection, candidate).version == 1


ORGS = '[orgs.us]\nschema = "us"\n[orgs.emea]\nschema = "emea"\n'
PLAIN = "[[rules]]" + EVERYTHING.split("[[rules]]")[3]


def test_defaults_are_left_out(connection: psycopg.Connection, tmp_path: Path) -> None:
    file = tmp_path / "orgstream.toml"
    file.write_text(ORGS + PLAIN)
    exported = tomllib.loads(export(validate(connection, file).require()))
    assert exported == tomllib.loads(ORGS + PLAIN)


def test_an_identity_that_does_not_follow_from_the_keys_is_stated(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "orgstream.toml"
    by_name = PLAIN.replace('"plain"', '"by-name"').replace('= "ext_id__c"', '= "name"')
    file.write_text(ORGS + PLAIN + by_name)
    exported = tomllib.loads(export(validate(connection, file).require()))
    assert exported["orgs"]["us"] == {"schema": "us", "tables": {"account": {"identity": ["ext_id__c"]}}}
