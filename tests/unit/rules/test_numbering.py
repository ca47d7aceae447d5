"""Numbers and versions of rules."""

from __future__ import annotations

from msgspec.structs import replace

from stages.rules.numbering import numbered, same_content
from tests.unit.rules.rule_sets import rule, rule_set


def numbers(*names: str, latest: tuple[tuple[str, int, int, str | None], ...]) -> list[tuple[int, int]]:
    """Ids and versions that rules of these names (with no `when`) get, after rules of `latest`."""
    known = [replace(rule(name, when=when), id=id_, version=version) for name, id_, version, when in latest]
    found = numbered(rule_set(*(rule(name) for name in names)), known)
    return [(rule.id, rule.version) for rule in found.rules]


def test_new_rules_are_numbered_from_one() -> None:
    assert numbers("a", "b", latest=()) == [(1, 1), (2, 1)]


def test_an_unchanged_rule_keeps_its_version() -> None:
    assert numbers("a", latest=(("a", 7, 3, None),)) == [(7, 3)]


def test_a_changed_rule_rises_and_keeps_its_number() -> None:
    assert numbers("a", latest=(("a", 7, 3, "name = 'x'"),)) == [(7, 4)]


def test_a_number_is_never_given_to_another_name() -> None:
    assert numbers("new", "a", latest=(("a", 1, 1, None), ("gone", 5, 2, None))) == [(6, 1), (1, 1)]


def test_sets_are_compared_without_their_versions() -> None:
    one = rule_set(rule("a"))
    assert same_content(replace(one, version=3), one)
    assert not same_content(None, one)
    assert not same_content(rule_set(rule("a"), identity=("name",)), one)
