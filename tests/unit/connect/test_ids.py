"""Salesforce ids."""

from __future__ import annotations

import random

import pytest

from pipeline.connect.ids import IdMint, custom_prefix, eighteen


@pytest.mark.parametrize(
    "known", ["0kmPm000001SzmLIAS", "001Pm00001bnlpdIAA", "0itPm0000000BoNIAU", "a0nPm00000qtyonIAA"]
)
def test_the_three_added_characters_tell_the_case(known: str) -> None:
    assert eighteen(known[:15]) == known


def test_ids_are_unique_and_some_differ_only_in_case() -> None:
    mint = IdMint(random.Random(3))
    ids = [mint.new("001") for _ in range(500)]
    assert len(set(ids)) == 500
    assert {len(sfid) for sfid in ids} == {18}
    assert len({sfid[:15].lower() for sfid in ids}) < 500
    assert len({sfid.lower() for sfid in ids}) == 500


def test_orgs_differ_and_a_seed_repeats() -> None:
    first, again, other = (IdMint(random.Random(seed)).new("003") for seed in (1, 1, 2))
    assert first == again != other


def test_prefixes_of_custom_objects() -> None:
    assert [custom_prefix(n) for n in (0, 1, 61, 62)] == ["a00", "a01", "a0z", "a10"]
