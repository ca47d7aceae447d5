"""The other policies: who wins is said beforehand, or by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.letters import Selection, request, select

if TYPE_CHECKING:
    from tests.integration.conflicts.conftest import Duel

EMEA = "UPDATE {}.account SET city = 'Bonn' WHERE ext_id = 'a'"
US = "UPDATE {}.account SET city = 'Oslo' WHERE ext_id = 'a'"


@pytest.mark.parametrize(
    ("policy", "city", "winner"),
    [
        ("source", "Bonn", "source"),
        ("target", "Oslo", "target"),
        ("first", "Oslo", "target"),
        ("fill-empty", "Oslo", "target"),
    ],
)
def test_a_column_is_decided_by_its_policy(duel: Duel, policy: str, city: str, winner: str) -> None:
    duel.begin(city=f'conflict = "{policy}"')
    duel.edit("us", US)
    duel.edit("emea", EMEA)
    duel.travel()
    decided = [row for row in duel.conflicts() if row[0] == "emea-to-us"]
    assert decided == [("emea-to-us", "city", "Bonn", "Oslo", winner)]
    assert duel.row("us") is not None
    if policy == "source":
        assert duel.row("us") == ("Ann", city)


@pytest.mark.parametrize("policy", ["first", "fill-empty"])
def test_what_is_set_stays_and_what_is_empty_is_filled(duel: Duel, policy: str) -> None:
    duel.begin(city=f'conflict = "{policy}"')
    duel.edit("emea", EMEA)
    duel.travel()
    assert duel.row("us") == ("Ann", "Rome")
    duel.edit("us", "UPDATE {}.account SET city = NULL WHERE ext_id = 'a'")
    duel.travel()
    duel.edit("emea", "UPDATE {}.account SET city = 'Kiel' WHERE ext_id = 'a'")
    duel.travel()
    assert duel.row("us") == ("Ann", "Kiel")


def test_a_person_decides(duel: Duel) -> None:
    duel.begin(to_us='conflict = "manual"')
    duel.edit("us", US)
    duel.edit("emea", EMEA)
    duel.travel()
    assert duel.letters() == [("emea-to-us", "conflict", "city")]
    duel.edit("emea", "UPDATE {}.account SET name = 'Anna' WHERE ext_id = 'a'")
    duel.travel()
    assert duel.row("us") == ("Ann", "Oslo")  # what comes later waits behind it
    _settle(duel, "retry")
    assert duel.letters() == [("emea-to-us", "conflict", "city")]  # nothing has changed
    _settle(duel, "skip")
    assert duel.letters() == []
    assert duel.row("us") == ("Anna", "Oslo")


def test_once_both_sides_agree_a_retry_goes_through(duel: Duel) -> None:
    duel.begin(to_us='conflict = "manual"')
    duel.edit("us", US)
    duel.edit("emea", EMEA)
    duel.travel()
    duel.edit("us", "UPDATE {}.account SET city = 'Bonn' WHERE ext_id = 'a'")
    _settle(duel, "retry")  # now both sides agree
    assert duel.letters() == []
    assert duel.row("us") == ("Ann", "Bonn")


def _settle(duel: Duel, what: str) -> None:
    request(duel.world.app, select(duel.world.app, Selection()), what, "a test")
    duel.world.clock.advance()
    duel.travel()
