"""Circles among rules: pairs both ways, larger rounds, and what is none."""

from __future__ import annotations

from msgspec.structs import replace

from stages.rules.circles import Circle, circles
from stages.rules.model import Rule, TableName
from tests.unit.rules.rule_sets import rule


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


def test_circles_apart() -> None:
    found = circles(
        [way("a", "b"), way("b", "a"), way("c", "d"), way("d", "e"), way("e", "c"), way("b", "c")]
    )
    assert tables_of(found) == ["a b", "c d e"]
