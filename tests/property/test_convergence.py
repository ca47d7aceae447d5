"""Under `newest` all orgs end alike, in whatever order their changes arrive and whatever their clocks say."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.stamp import Ranks, Stamp
from tests.property.orgs_model import COLUMNS, Network, rules_between

PAIR = [("a", "b"), ("b", "a")]
TRIANGLE = list(permutations("abc", 2))
RING = [("a", "b"), ("b", "c"), ("c", "a")]
HUB = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")]
RULES = {
    "pair": rules_between(PAIR),
    "triangle": rules_between(TRIANGLE),
    "ring": rules_between(RING),
    "hub": rules_between(HUB),
}
EDITS = st.tuples(
    st.sampled_from("abc"),
    st.integers(1, 6),
    st.one_of(st.none(), st.dictionaries(st.sampled_from(COLUMNS), st.sampled_from("xyz"), min_size=1)),
)
Step = str | tuple[str, int, dict[str, Any] | None]
STEPS = st.lists(st.one_of(st.sampled_from("abc"), EDITS), max_size=14)


def _run(rules: str, steps: list[Step], order: list[str]) -> Network:
    network = Network(RULES[rules])
    for step in steps:
        org = step if isinstance(step, str) else step[0]
        if org not in network.orgs:
            continue
        if isinstance(step, str):
            network.deliver(step)
        else:
            network.edit(*step)
    network.settle(org for org in order if org in network.orgs)
    return network


@given(steps=STEPS, order=st.lists(st.sampled_from("abc"), max_size=20))
def test_all_orgs_of_a_ring_end_alike_where_nothing_is_deleted(steps: list[Step], order: list[str]) -> None:
    kept = [step for step in steps if isinstance(step, str) or step[2] is not None]
    assert len(set(_run("ring", kept, order).states())) == 1


@pytest.mark.parametrize("rules", ["pair", "triangle", "hub"])
@given(steps=STEPS, order=st.lists(st.sampled_from("abc"), max_size=20))
def test_all_orgs_end_alike(rules: str, steps: list[Step], order: list[str]) -> None:
    assert len(set(_run(rules, steps, order).states())) == 1


TIE: list[Step] = [
    ("a", 1, {"name": "x"}),
    "a",
    ("a", 5, {"name": "y"}),
    ("b", 5, {"name": "z"}),
]


@pytest.mark.parametrize("order", [["a", "b"], ["b", "a"]])
def test_a_tie_is_settled_alike(order: list[str]) -> None:
    network = _run("pair", TIE, order)
    assert network.states() == [("y", None), ("y", None)]
    assert {conflict.winner for conflict in network.conflicts} == {"source", "target"}


def test_without_the_tie_rule_they_would_not_come_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def later(_: Ranks, one: Stamp, other: Stamp) -> bool:
        return one.at > other.at

    monkeypatch.setattr(Ranks, "later", later)
    with pytest.raises(AssertionError, match="do not come to rest"):
        _run("pair", TIE, [])
