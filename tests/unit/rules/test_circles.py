"""Circles among rules: pairs both ways, larger rounds, and what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from stages.rules.circles import Circle, circles
from stages.rules.model import Mapping, Rule, TableName
from tests.unit.rules.rule_sets import rule, table

if TYPE_CHECKING:
    from stages.rules.rewrites import Rewrite


def way(source: str, target: str, *, enabled: bool = True) -> Rule:
    start, end = (TableName(org, org, "account") for org in (source, target))
    return replace(rule(f"{source}-{target}"), source=start, target=end, enabled=enabled)


def tables_of(found: tuple[Circle, ...]) -> list[str]:
    return [" ".join(name.partition(".")[0] for name in circle.tables) for circle in found]


def test_no_circle() -> None:
    assert circles([]) == ()
    assert circles([way("a", "b"), way("b", "c"), way("a", "c")]) == ()
    assert circles([way("a", "b"), way("b", "a", enabled=False)]) == ()


def test_a_pair() -> None:
    (pair,) = circles([way("a", "b"), way("b", "a"), way("c", "a")])
    assert (pair.tables, pair.rules) == (("a.account", "b.account"), ("a-b", "b-a"))
    assert "is not sent back to the org that it came from" in pair.settles


def test_a_round() -> None:
    (found,) = circles([way("a", "b"), way("b", "c"), way("c", "a"), way("c", "d")])
    assert found.rules == ("a-b", "b-c", "c-a")
    assert "never to one that it came through" in found.settles


def test_a_hub_is_pairs_and_a_group() -> None:
    spokes = [way("hub", org) for org in "ab"] + [way(org, "hub") for org in "ab"]
    assert tables_of(circles(spokes)) == ["a hub", "b hub", "a b hub"]


Values = dict[str, str]


def both(there: str, back: str, values: tuple[Values, Values] | None = None) -> tuple[Rewrite, ...]:
    """What a pair of rules both ways rewrites in the column `name`."""
    first, second = values or (None, None)
    rules = [
        replace(way("a", "b"), map={"name": Mapping(there, values=first)}),
        replace(way("b", "a"), map={"name": Mapping(back, values=second)}),
    ]
    (pair,) = circles(rules, [table(rules[0].source), table(rules[0].target)])
    return pair.rewrites


def test_columns_that_do_not_come_back_as_they_went_are_named() -> None:
    (found,) = both("upper(name)", "lower(name)")
    assert (found.column, found.way, found.back) == (
        "b.account.name",
        "upper(name)",
        "a.account.name = lower(name)",
    )
    assert len(both("name", "trim(name)")) == 1


def test_columns_that_are_copied_both_ways_are_not() -> None:
    assert both("name", "name") == ()
    assert both("ext_id", "name") == ()


def test_value_tables_may_undo_each_other() -> None:
    assert both("name", "name", ({"Open": "New"}, {"New": "Open"})) == ()
    assert len(both("name", "name", ({"Open": "New"}, {"New": "Shut"}))) == 1
    assert len(both("name", "name", ({"Open": "New", "On": "New"}, {"New": "Open"}))) == 1


def test_echoes_are_told_where_heroku_connect_maps_a_table() -> None:
    rules = [way("a", "b"), way("b", "a")]
    mapped = replace(table(rules[0].source), connector="heroku-connect")
    (pair,) = circles(rules, [mapped, table(rules[0].target)])
    assert "known for an echo" in pair.settles
    (plain,) = circles(rules, [table(rules[0].source), table(rules[0].target)])
    assert "echo" not in plain.settles


def test_circles_apart() -> None:
    found = circles(
        [way("a", "b"), way("b", "a"), way("c", "d"), way("d", "e"), way("e", "c"), way("b", "c")]
    )
    assert tables_of(found) == ["a b", "c d e"]
