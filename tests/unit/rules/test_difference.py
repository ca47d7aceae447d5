"""The difference between rule sets, field by field."""

from __future__ import annotations

from msgspec.structs import replace

from stages.rules.difference import FieldChange, difference
from stages.rules.model import Column, Mapping, SetColumns
from tests.unit.rules.rule_sets import rule, rule_set


def test_no_difference() -> None:
    assert difference(rule_set(rule("a")), rule_set(rule("a"))).is_empty


def test_everything_is_new_at_first() -> None:
    found = difference(None, rule_set(rule("a")))
    assert [(change.sign, change.rule.name) for change in found.rules] == [("added", "a")]
    assert [(org.sign, org.name) for org in found.orgs] == [("added", "emea"), ("added", "us")]
    assert found.tables == ()


def test_added_removed_and_changed_rules() -> None:
    live = rule_set(rule("changed"), rule("gone"), rule("same"))
    found = difference(live, rule_set(rule("changed", when="name = 'x'"), rule("new"), rule("same")))
    assert [(change.sign, change.rule.name) for change in found.rules] == [
        ("changed", "changed"),
        ("removed", "gone"),
        ("added", "new"),
    ]
    assert found.rules[0].fields == (FieldChange("when", None, "name = 'x'"),)


def test_each_column_is_a_field() -> None:
    before = replace(rule("a"), map={"name": Mapping("name"), "fax": Mapping("fax")})
    after = replace(
        rule("a"),
        map={"name": Mapping("upper(name)"), "phone": Mapping("phone", values={"a": "b"})},
        on_delete=SetColumns({"active": "false"}),
    )
    (change,) = difference(rule_set(before), rule_set(after)).rules
    assert change.fields == (
        FieldChange("map.name", {"expr": "name"}, {"expr": "upper(name)"}),
        FieldChange("map.fax", {"expr": "fax"}, None),
        FieldChange("on_delete", "delete", {"do": "set", "columns": {"active": "false"}}),
        FieldChange("map.phone", None, {"expr": "phone", "values": {"a": "b"}}),
    )


def test_what_workers_know_of_tables_and_orgs_counts_too() -> None:
    live = rule_set(rule("a"))
    account, target = live.tables
    wider = replace(account, columns=(*account.columns, Column("fax", "text")), identity=("name",))
    turned = replace(target, columns=target.columns[::-1])
    candidate = replace(live, orgs={"emea": "europe"}, tables=(wider, turned))
    found = difference(live, candidate)
    assert not found.is_empty
    assert [(org.sign, org.name) for org in found.orgs] == [("changed", "emea"), ("removed", "us")]
    assert [field.field for field in found.tables[0].fields] == ["identity", "column fax"]
    assert [field.field for field in found.tables[1].fields] == ["order of columns"]
