"""`newest`: the later edit wins on every node, whatever arrives first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.conflicts.conftest import Duel

EMEA = "UPDATE {}.account SET name = 'Anna' WHERE ext_id = 'a'"
US = "UPDATE {}.account SET name = 'Annie' WHERE ext_id = 'a'"


def test_edits_of_different_fields_both_survive(duel: Duel) -> None:
    duel.begin()
    duel.edit("emea", EMEA)
    duel.edit("us", "UPDATE {}.account SET city = 'Bonn' WHERE ext_id = 'a'")
    duel.travel()
    assert duel.row("emea") == duel.row("us") == ("Anna", "Bonn")
    assert duel.conflicts() == []


@pytest.mark.parametrize("first", ["emea", "us"])
def test_the_later_edit_wins_on_both_sides(duel: Duel, first: str) -> None:
    duel.begin()
    edits = {"emea": EMEA, "us": US}
    duel.edit(first, edits.pop(first))
    ((last, statement),) = edits.items()
    duel.edit(last, statement)
    duel.travel()
    winner, loser = ("Annie", "Anna") if last == "us" else ("Anna", "Annie")
    assert duel.row("emea") == duel.row("us") == (winner, "Rome")
    decided = {(rule, won): (wanted, there) for rule, _, wanted, there, won in duel.conflicts()}
    names = {"emea": "emea-to-us", "us": "us-to-emea"}
    assert decided == {
        (names[first], "target"): (loser, winner),
        (names[last], "source"): (winner, loser),
    }


def test_an_edit_on_top_of_a_replicated_one_is_later(duel: Duel) -> None:
    duel.begin()
    duel.edit("emea", EMEA)
    duel.travel()
    duel.edit("us", US)
    duel.travel()
    duel.edit("emea", "UPDATE {}.account SET name = 'Anne' WHERE ext_id = 'a'")
    duel.travel()
    assert duel.row("emea") == duel.row("us") == ("Anne", "Rome")
    assert duel.conflicts() == []
