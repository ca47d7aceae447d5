"""Records that Salesforce refuses: their letters, and how these are settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tests.fixtures.connected import Connected

TAKEN = "duplicate value found: Email__c duplicates value on record with id: "


class Moody:
    """Refuses accounts with a city or name that it does not like."""

    def __init__(self, uk: Connected) -> None:
        self.dislikes = {"Atlantis", "Nemo"}
        uk.org.validate("Account", lambda new, _: self.of(str(new["city__c"]), str(new["name"])))

    def of(self, city: str, name: str) -> str | None:
        """The message, or None."""
        return "not to my liking" if self.dislikes & {city, name} else None


def test_a_later_success_settles_the_letter(uk: Connected) -> None:
    Moody(uk)
    uk.account("a", city="Atlantis")
    uk.account("b", city="Atlantis")
    uk.replicate()
    assert len(uk.letters()) == 2
    uk.world.app.execute("DELETE FROM emea.account WHERE ext_id = 'a'")
    uk.account("b", city="Rome")  # Heroku Connect fails it: with ordered writes there is nothing to update
    uk.replicate()
    uk.ask("retry")
    uk.replicate()
    assert [key for _, _, key, *_ in uk.letters()] == ['{"ext_id" : "a"}']  # its row is gone
    audit = "SELECT event, how FROM orgstream.letter_audit WHERE letter_id = 2 ORDER BY id"
    assert uk.world.rows(audit) == [("asked", "retry"), ("applied", "retry"), ("settled", "accepted")]
    assert uk.record("b") is not None


def test_an_update_is_accepted_when_all_its_columns_were(uk: Connected) -> None:
    moody = Moody(uk)
    uk.account("a")
    uk.replicate()
    uk.account("a", name="Nemo", city="Atlantis")
    uk.replicate()
    assert len(uk.letters()) == 1
    moody.dislikes = {"Atlantis"}
    uk.account("a", name="Ben", city="Atlantis")  # only the name is sent, and accepted
    uk.replicate()
    assert [columns for (columns,) in uk.world.rows("SELECT columns FROM orgstream.refused_record")] == [
        ["city__c"]
    ]
    uk.account("a", name="Ben", city="Oslo")
    uk.replicate()
    assert uk.letters() == []
    assert uk.world.rows("SELECT resolution FROM orgstream.dead_letter") == [("accepted by Salesforce",)]


def test_a_duplicate_of_anothers_value_is_a_refusal(uk: Connected) -> None:
    uk.org.create("Contact", {"name": "Ann", "ext_id__c": "a", "email__c": "same@x"})  # not polled yet
    uk.contact("b", "Ben", "same@x")
    uk.replicate()
    ((cause, rule, key, message, attempts),) = uk.letters()
    assert (cause, rule, key, attempts) == ("delivery", "contacts", '{"ext_id" : "b"}', 1)
    assert message.startswith(TAKEN)


def test_what_was_refused_by_the_hundred_has_a_letter_each(
    uk: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than are looked at in one piece; the relay dies between two pieces."""
    for module in ("refusals", "watch"):
        monkeypatch.setattr(f"pipeline.delivery.{module}.PAGE", 7)
    Moody(uk)
    uk.world.app.execute(
        "INSERT INTO emea.account (ext_id, name, city) "
        "SELECT n, 'n', CASE WHEN n % 2 = 0 THEN 'Atlantis' ELSE 'Rome' END FROM generate_series(1, 60) AS n"
    )
    uk.apply()
    uk.heroku.write()
    watch = uk.world.watch()
    term = uk.world.rows("SELECT term FROM orgstream.lease WHERE stage = 'relay'")[0][0]
    watch.run(term, 0)
    assert len(uk.letters()) == 7
    for _ in range(3):
        uk.look()
    assert sorted(int(key[13:-2]) for _, _, key, *_ in uk.letters()) == list(range(2, 61, 2))
    assert uk.deliveries() == [("refused", 30, 30)]
    assert {attempts for *_, attempts in uk.letters()} == {1}


def test_a_delete_that_is_refused_is_put_back_into_the_log(uk: Connected) -> None:
    uk.account("a")
    uk.replicate()
    (record,) = uk.org.query("Account")
    uk.org.delete("Account", str(record["sfid"]))  # by a user, and not polled yet: it cannot be deleted twice
    uk.world.app.execute("DELETE FROM emea.account")
    uk.replicate()
    ((_, _, _, message, _),) = uk.letters()
    assert message == "entity is deleted"
    uk.org.undelete("Account", str(record["sfid"]))
    uk.ask("retry")
    uk.replicate()
    assert uk.letters() == []
    assert uk.record("a") is None


def test_a_row_that_is_gone_is_written_anew(uk: Connected) -> None:
    moody = Moody(uk)
    uk.account("a", city="Atlantis")
    uk.replicate()
    uk.heroku.reload("Account")  # what never reached Salesforce is not loaded
    assert uk.world.rows("SELECT FROM uk.account") == []
    moody.dislikes = set()
    uk.ask("retry")
    uk.replicate()
    record = uk.record("a")
    assert record is not None
    assert record["city__c"] == "Atlantis"


def test_an_edit_writes_other_values(uk: Connected) -> None:
    Moody(uk)
    uk.account("a", city="Atlantis")
    uk.replicate()
    asked = "UPDATE orgstream.dead_letter SET requested = 'edit', edit = %s, request_reason = 'agreed'"
    uk.world.app.execute(asked, ['{"city__c": "Oslo"}'])
    uk.look()
    assert uk.world.rows("SELECT city__c FROM uk.account") == [("Oslo",)]
    assert uk.world.rows("SELECT requested, edit FROM orgstream.dead_letter") == [(None, None)]


def test_a_letter_that_is_skipped_is_watched_no_more(uk: Connected) -> None:
    Moody(uk)
    uk.account("a", city="Atlantis")
    uk.replicate()
    uk.ask("skip")
    assert uk.letters() == []
    assert [(o.pending, o.refused) for o in uk.status()] == [(0, 0)]
    uk.account("a", name="Nemo", city="Atlantis")
    uk.replicate()
    ((_, _, _, message, _),) = uk.letters()
    assert message.startswith("the record has no sfid")
