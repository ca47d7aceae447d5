"""One side deletes, the other edits: under `newest` the later of the two wins in both orgs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.conflicts.conftest import Duel

DELETE = "DELETE FROM {}.account WHERE ext_id = 'a'"
EDIT = "UPDATE {}.account SET name = 'Anna' WHERE ext_id = 'a'"


def test_an_edit_later_than_the_delete_brings_the_record_back(duel: Duel) -> None:
    duel.begin()
    duel.edit("us", DELETE)
    duel.edit("emea", EDIT)
    duel.travel()
    assert duel.row("emea") == duel.row("us") == ("Anna", "Rome")


def test_a_delete_later_than_the_edit_wins(duel: Duel) -> None:
    duel.begin()
    duel.edit("emea", EDIT)
    duel.edit("us", DELETE)
    duel.travel()
    assert duel.row("emea") is None
    assert duel.row("us") is None
    decided = {(rule, column, won) for rule, column, _, _, won in duel.conflicts()}
    assert ("us-to-emea", "name", "source") in decided
    assert next(row for row in duel.conflicts() if row[0] == "us-to-emea")[3] == "Anna"


def test_a_deleted_record_that_is_inserted_anew_comes_back(duel: Duel) -> None:
    duel.begin()
    duel.edit("us", DELETE)
    duel.travel()
    assert duel.row("emea") is None
    duel.edit("emea", "INSERT INTO {}.account (ext_id, name) VALUES ('a', 'Bea')")
    duel.travel()
    assert duel.row("us") == ("Bea", None)
    assert duel.conflicts() == []


def test_an_edit_to_the_same_value_outlives_a_delete_and_is_told(duel: Duel) -> None:
    duel.begin()
    duel.edit("emea", "UPDATE {}.account SET name = 'Anna', city = 'Bonn' WHERE ext_id = 'a'")
    duel.edit("us", "UPDATE {}.account SET city = 'Bonn' WHERE ext_id = 'a'")
    duel.edit("emea", DELETE)
    duel.edit("us", "UPDATE {}.account SET name = 'Anna' WHERE ext_id = 'a'")
    duel.travel()
    assert duel.row("emea") == duel.row("us") == ("Anna", "Bonn")


def test_a_record_that_is_deleted_and_made_again_in_one_batch_keeps_its_stamps(duel: Duel) -> None:
    duel.begin()
    duel.edit("emea", "DELETE FROM {}.account WHERE ext_id = 'a'")
    duel.edit("emea", "INSERT INTO {}.account (ext_id, name, city) VALUES ('a', 'Anna', 'Bonn')")
    duel.travel()
    assert duel.row("emea") == duel.row("us") == ("Anna", "Bonn")
    assert duel.world.rows("""
        SELECT DISTINCT s.stamps -> c ->> 1
        FROM orgstream.record_stamp AS s, unnest(ARRAY['name', 'city']) AS c
        WHERE s.table_schema = 'us'
        """) == [("emea.account",)]
    nowhere = "SELECT count(*) FROM orgstream.change_stamp, jsonb_each(stamps) AS e WHERE e.value = 'null'"
    assert duel.world.rows(nowhere) == [(0,)]
