"""Which tables get capture, and which lose it."""

from __future__ import annotations

from stages.rules.capture import CaptureChanges, Captured, capture_changes
from stages.rules.model import TableName
from tests.unit.rules.rule_sets import US, rule, rule_set

ACCOUNT = Captured("emea", "account", ("ext_id",))
CONTACT = TableName("emea", "emea", "contact")


def test_sources_of_enabled_rules_are_captured() -> None:
    rules = rule_set(rule("a"), rule("b"), rule("off", source=CONTACT, enabled=False))
    assert capture_changes(rules, []) == CaptureChanges(install=(ACCOUNT,))


def test_what_is_there_stays_and_what_no_rule_needs_goes() -> None:
    other = Captured("emea", "contact", ("ext_id",))
    assert capture_changes(rule_set(rule("a")), [ACCOUNT]) == CaptureChanges()
    assert capture_changes(rule_set(rule("a")), [ACCOUNT, other]) == CaptureChanges(remove=(other,))
    assert capture_changes(rule_set(rule("a", enabled=False)), [ACCOUNT]) == CaptureChanges(remove=(ACCOUNT,))


def test_another_identity_or_lost_triggers_are_put_right() -> None:
    identified_otherwise = Captured("emea", "account", ("name",))
    without_triggers = Captured("emea", "account", ("ext_id",), is_installed=False)
    for present in (identified_otherwise, without_triggers):
        assert capture_changes(rule_set(rule("a")), [present]) == CaptureChanges(install=(ACCOUNT,))


def test_a_table_that_is_source_and_target_is_captured_as_a_source() -> None:
    changes = capture_changes(rule_set(rule("a"), rule("back", source=US)), [])
    assert [str(table) for table in changes.install] == ["emea.account", "us.account"]
