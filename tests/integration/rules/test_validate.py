"""Validation against a real database: every fault at once, each where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.errors import RulesInvalid
from pipeline.rules.validate import validate
from stages.change import Operation
from stages.rules.model import Column, SetColumns, TableName

if TYPE_CHECKING:
    import psycopg

    from stages.rules.model import RuleSet

FAULTY: Final = Path(__file__).with_name("faulty.toml")
MARK: Final = "#!"
ORGS: Final = '[orgs.emea]\nschema = "emea"\n[orgs.us]\nschema = "us"\n'


def expected_faults() -> list[tuple[int, str]]:
    """The line of each fault in the file of faults, and what it must say."""
    lines = FAULTY.read_text(encoding="utf-8").splitlines()
    return [
        (number, part.strip())
        for number, line in enumerate(lines, start=1)
        if MARK in line
        for part in line.split(MARK)[1].split(" | ")
    ]


def test_every_fault_of_a_file_is_listed_at_once(connection: psycopg.Connection) -> None:
    faults = validate(connection, FAULTY).faults
    found = [(fault.place.line, str(fault)) for fault in faults]
    expected = expected_faults()
    assert len(expected) > 70
    missing = [
        (line, text) for line, text in expected if not any(line == at and text in said for at, said in found)
    ]
    unexpected = [
        (at, said) for at, said in found if not any(line == at and text in said for line, text in expected)
    ]
    assert (missing, unexpected) == ([], [])
    assert len(found) == len(expected)
    assert list(faults) == sorted(faults, key=lambda fault: fault.place)


def candidate_of(connection: psycopg.Connection, path: Path, rules: str) -> RuleSet:
    path.write_text(ORGS + rules, encoding="utf-8")
    return validate(connection, path).require()


def faults_of(connection: psycopg.Connection, path: Path, rules: str) -> list[str]:
    path.write_text(ORGS + rules, encoding="utf-8")
    return [str(fault).partition(": ")[2] for fault in validate(connection, path).faults]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orgstream.toml"


RULE: Final = """
[[rules]]
name = "accounts"
from = "emea.account"
to = "us.account"
key = { ext_id__c = "COALESCE(ext_id__c, 'emea:' || sfid)" }
"""


def test_a_valid_file_becomes_a_rule_set(connection: psycopg.Connection, file: Path) -> None:
    rules = """
when = "status__c = 'Active'"
on = ["update", "insert"]
on_delete = { set = { active__c = "false" } }
[rules.map]
name = "upper(name)"
amount__c = "amount__c"
status__c = { expr = "status__c", values = { Active = "A" }, default = "'Other'" }
"""
    candidate = candidate_of(connection, file, RULE + rules)
    (rule,) = candidate.rules
    assert (rule.source, rule.target) == (
        TableName("emea", "emea", "account"),
        TableName("us", "us", "account"),
    )
    assert rule.on == (Operation.INSERT, Operation.UPDATE)
    assert rule.on_delete == SetColumns({"active__c": "false"})
    assert candidate.orgs == {"emea": "emea", "us": "us"}
    source, target = candidate.tables
    assert source.identity == ("sfid", "ext_id__c")  # what its key reads, in the table's order
    assert source.connector == "heroku-connect"
    assert Column("ext_id__c", "character varying(36)") in source.columns
    assert (target.identity, target.connector) == ((), "plain")


SECOND: Final = """
[[rules]]
name = "by-name"
from = "emea.account"
to = "us.account"
key = { ext_id__c = "name" }
map = { name = "name" }
"""
BACK: Final = """
[[rules]]
name = "back"
from = "us.account"
to = "emea.account"
key = { ext_id__c = "ext_id__c" }
map = { name = "name" }
[[rules]]
name = "back-by-name"
from = "us.account"
to = "emea.account"
key = { ext_id__c = "name" }
map = { name = "name" }
"""


def identity(candidate: RuleSet, org: str) -> tuple[str, ...]:
    (table,) = (table for table in candidate.tables if table.name.org == org)
    return table.identity


def test_where_keys_disagree_the_table_decides(connection: psycopg.Connection, file: Path) -> None:
    candidate = candidate_of(connection, file, f'{RULE}map = {{ name = "name" }}{SECOND}{BACK}')
    assert identity(candidate, "emea") == ("ext_id__c",)  # the unique external id
    assert identity(candidate, "us") == ("ext_id__c",)  # the primary key
    connection.execute("DROP INDEX emea.hcu_idx_account_ext_id__c")
    one_way = f'{RULE}map = {{ name = "name" }}{SECOND}'
    assert identity(candidate_of(connection, file, one_way), "emea") == ("sfid",)


def test_only_enabled_rules_decide_what_identifies_a_record(
    connection: psycopg.Connection, file: Path
) -> None:
    rules = f'{RULE}map = {{ name = "name" }}{SECOND}enabled = false'
    assert identity(candidate_of(connection, file, rules), "emea") == ("sfid", "ext_id__c")
    off = rules.replace("[rules.map]", "").replace('sfid)" }', 'sfid)" }\nenabled = false')
    assert identity(candidate_of(connection, file, off), "emea") == ()


def test_a_stated_identity_goes_first(connection: psycopg.Connection, file: Path) -> None:
    stated = '[orgs.emea.tables.account]\nidentity = ["name"]\n'
    candidate = candidate_of(connection, file, f'{stated}{RULE}map = {{ name = "name" }}')
    assert identity(candidate, "emea") == ("name",)
    by_id = f'{stated.replace("name", "id")}{RULE}map = {{ name = "name" }}'
    (fault,) = faults_of(connection, file, by_id)
    assert "`id` is Heroku Connect's own number, which a reload gives anew" in fault


def test_a_rule_without_inserts_may_leave_required_columns_to_others(
    connection: psycopg.Connection, file: Path
) -> None:
    assert candidate_of(connection, file, f'{RULE}on = ["update"]\nmap = {{ employees = "employees" }}')
    (fault,) = faults_of(connection, file, f'{RULE}map = {{ employees = "employees" }}')
    assert "an insert leaves `name` of account empty" in fault


def test_a_key_column_in_map_that_says_the_same_is_written_once(
    connection: psycopg.Connection, file: Path
) -> None:
    same = 'map = { name = "name", ext_id__c = "COALESCE(ext_id__c, \'emea:\' || sfid)" }'
    (rule,) = candidate_of(connection, file, RULE + same).rules
    assert list(rule.map) == ["name"]


def test_a_stated_connector_must_be_what_the_tables_look_like(
    connection: psycopg.Connection, file: Path
) -> None:
    text = f'{RULE}map = {{ name = "name" }}'
    file.write_text((ORGS + text).replace('schema = "us"', 'schema = "us"\nconnector = "heroku-connect"'))
    (fault,) = validate(connection, file).faults
    assert 'org us says connector = "heroku-connect", but account looks like plain' in fault.message


def test_tables_whose_changes_would_not_be_seen(connection: psycopg.Connection, file: Path) -> None:
    connection.execute("CREATE TABLE emea.parts (ext text PRIMARY KEY, name text) PARTITION BY HASH (ext)")
    rule = RULE.replace("emea.account", "emea.parts").replace("COALESCE(ext_id__c, 'emea:' || sfid)", "ext")
    (fault,) = faults_of(connection, file, f'{rule}map = {{ name = "name" }}')
    assert "parts is partitioned, and its changes cannot be captured" in fault


def test_types_that_are_only_copied_must_agree(connection: psycopg.Connection, file: Path) -> None:
    connection.execute("ALTER TABLE emea.account ADD tags jsonb, ADD guid uuid")
    connection.execute("ALTER TABLE us.account ADD tags jsonb, ADD guid uuid, ADD days integer[]")
    fits = 'map = { name = "name", tags = "tags", guid = "guid", status__c = "guid" }'
    assert candidate_of(connection, file, RULE + fits)
    faults = faults_of(connection, file, RULE + 'map = { name = "name", guid = "tags", days = "guid" }')
    assert len(faults) == 2
    assert "`guid`: the expression gives jsonb, and there is no assignment cast to uuid" in faults[0]
    assert "`days`: the expression gives uuid, and there is no assignment cast to integer[]" in faults[1]


def test_an_invalid_file_is_no_candidate(connection: psycopg.Connection) -> None:
    with pytest.raises(
        RulesInvalid, match=r"nothing was changed:\n  .*faulty\.toml:5: unknown key `conector`"
    ):
        validate(connection, FAULTY).require()


def test_a_file_that_is_no_toml_does_not_hide_the_faults_of_others(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "a.toml").write_text(ORGS)
    (tmp_path / "b.toml").write_text("[[rules]\n")
    (tmp_path / "c.toml").write_text(RULE)
    faults = validate(connection, tmp_path).faults
    assert [(Path(fault.place.file).name, fault.place.line) for fault in faults] == [
        ("b.toml", 1),
        ("c.toml", 2),
    ]


def test_an_empty_file_is_an_empty_rule_set(connection: psycopg.Connection, file: Path) -> None:
    file.write_text("# nothing yet\n")
    candidate = validate(connection, file).require()
    assert (candidate.rules, candidate.tables, candidate.orgs) == ((), (), {})
