"""Changes that come late or again, processes that die and two workers at once: a row keeps its newer key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.replay.job import job
from pipeline.replay.replayer import Replayer
from pipeline.replay.run import begin, live_rules
from pipeline.replay.selection import Selection
from tests.integration.links.test_keys import MISSED, moved

if TYPE_CHECKING:
    import pytest

    from tests.integration.links.conftest import People


def replay(people: People, *ids: int, force: bool = True) -> int:
    """Replay changes; how many took effect."""
    app, partitions = people.world.app, people.world.settings.partitions
    number = begin(app, Selection(ids=ids), force=force, progress=lambda _: None)
    first, rules = job(app, number).first_change, live_rules(app)
    replayer = Replayer(app, number, first=first, force=force, partitions=partitions)
    while replayer.step(100, rules.by_id.keys(), rules):
        pass
    return job(app, number).applied


def renamed(people: People) -> None:
    """A person has the key b at the target, and had a."""
    moved(people)
    people.world.app.execute("UPDATE emea.person SET name = 'Bea'")
    people.settle()
    assert people.there() == {"b": ("Bea", "Oslo")}


def test_a_replayed_change_of_the_old_key_does_not_bring_its_row_back(people: People) -> None:
    renamed(people)
    assert replay(people, 1) == 1
    assert people.there() == {"b": ("Bea", "Oslo")}
    assert people.links() == [('{"id":1}', '{"ext_id":"b"}')]


def test_a_replayed_change_of_the_old_key_does_not_outlive_the_delete(people: People) -> None:
    renamed(people)
    people.unseen("UPDATE emea.person SET ext_id = 'c'")
    people.world.app.execute("DELETE FROM emea.person")
    people.settle()
    assert people.there() == {}
    replay(people, 1, 2)
    assert people.there() == {}


def test_without_links_a_replay_makes_a_second_row(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed(people)
    monkeypatch.setattr("stages.rules.compile.linked_rules", lambda _: {})
    replay(people, 1)
    assert people.there().keys() == {"a", "b"}


def test_a_replay_that_is_the_first_to_see_the_new_key_renames_the_row(people: People) -> None:
    people.put(1, "a")
    people.settle()
    people.world.apply_rules(people.world.rules.replace("key =", 'when = "false"\nkey ='))
    people.unseen(MISSED)
    people.put(1, "b", "Bea", "Oslo")
    people.settle()
    people.world.apply_rules()
    assert replay(people, 2, force=False) == 1
    assert people.there() == {"b": ("Bea", "Oslo")}
    assert people.links() == [('{"id":1}', '{"ext_id":"b"}')]


def test_a_captured_change_of_key_is_replayed_as_before(people: People) -> None:
    people.put(1, "a")
    people.put(1, "b", "Bea")
    people.put(2, "a", "Zoe")
    people.settle()
    replay(people, 1, 2, 3)
    assert people.there() == {"a": ("Zoe", "Rome"), "b": ("Bea", "Rome")}


def test_a_letter_of_the_old_key_that_is_retried_later_changes_nothing(people: People) -> None:
    people.put(1, "a")
    people.settle()
    people.world.app.execute("ALTER TABLE us.person ADD CONSTRAINT short CHECK (length(name) < 5)")
    people.put(1, "a", "too long")
    people.settle()
    assert [cause for cause, _ in people.letters()] == ["refused"]
    people.unseen(MISSED)
    people.put(1, "b", "Bea", "Bern")
    people.settle()
    assert people.there() == {"b": ("Bea", "Bern")}
    people.world.app.execute(
        "UPDATE orgstream.dead_letter SET requested = 'retry', request_reason = 'a test'"
    )
    people.settle()
    assert (people.there(), people.letters()) == ({"b": ("Bea", "Bern")}, [])
