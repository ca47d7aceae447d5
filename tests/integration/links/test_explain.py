"""`explain` tells the link of a record, and the rename that it leads to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.cli import main
from tests.integration.links.test_keys import moved

if TYPE_CHECKING:
    from tests.integration.links.conftest import People


@pytest.fixture(autouse=True)
def _settings(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", str(people.world.settings.database_url))


def test_the_link_and_the_rename(people: People, capsys: pytest.CaptureFixture[str]) -> None:
    moved(people)
    capsys.readouterr()
    assert main(["explain", "people", "--key", "b", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["state"]["link"] == {"record": '{"id":1}', "key": '{"ext_id":"a"}', "change_id": 1}
    assert found["transform"]["write"]["old_key"] == ["a"]
    rename, upsert = found["apply"]["statements"]
    assert rename["sql"].startswith('UPDATE "us"."person" AS t SET "ext_id"')
    assert upsert["sql"].startswith('INSERT INTO "us"."person"')
    assert people.there().keys() == {"a"}  # nothing is written


def test_in_words(people: People, capsys: pytest.CaptureFixture[str]) -> None:
    people.put(1, "a")
    people.settle()
    assert main(["explain", "people", "--key", "a"]) == 0
    assert 'link: {"id":1} has the row {"ext_id":"a"}, since change 1\n' in capsys.readouterr().out
    people.unseen("UPDATE emea.person SET ext_id = 'b'")
    people.world.app.execute("DELETE FROM emea.person")
    people.settle()
    people.put(1, "c")
    assert main(["explain", "people", "--key", "c"]) == 0
    assert 'link: {"id":1} had a row that is deleted, since change 2\n' in capsys.readouterr().out


def test_without_a_link(people: People, capsys: pytest.CaptureFixture[str]) -> None:
    people.put(1, "a")
    assert main(["explain", "people", "--key", "a"]) == 0
    assert "link:" not in capsys.readouterr().out
