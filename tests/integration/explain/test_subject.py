"""Which record `explain` takes: given in a file, on stdin, or named by a key; and what it refuses."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from pipeline.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.world import World
    from tests.integration.explain.conftest import Explain


def test_a_record_of_a_file(world: World, explained: Explain, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text('{"before": {"ext_id": "x", "active": true}, "after": {"ext_id": "y", "active": true}}')
    found = explained("accounts", "--record", str(file))
    assert found["match"]["outcome"] == "inside"
    assert found["transform"]["write"]["old_key"] == ["x"]
    assert found["record"]["is"] == f"the change of {file}"


def test_a_record_of_stdin(explained: Explain, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b'{"name": "Ann", "active": true}'))
    monkeypatch.setattr("sys.stdin", stdin)
    found = explained("accounts", "--record", "-")
    assert (found["match"]["outcome"], found["transform"]["reject"]["cause"]) == ("no-key", "no-key")
    assert found["target"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["acounts", "--key", "x"], 2, "there is no rule acounts (did you mean `accounts`?)"),
        (["accounts"], 2, "either --key or --record"),
        (["accounts", "--key", "nobody"], 1, "account has no record nobody, and the queue no change of it"),
        (["accounts", "--key", '{"nmae": "x"}'], 2, "has no column `nmae` (did you mean `name`?)"),
        (["accounts", "--key", '{"amount": "much"}'], 2, "invalid input syntax for type numeric"),
        (["accounts", "--key", "{"], 2, "is not a JSON object"),
        (["accounts", "--key", "{}"], 2, 'as a JSON object such as {"ext_id":"…"}'),
        (["accounts", "--key", '{"city": "Rome"}'], 2, "several records of emea.account are meant"),
    ],
)
def test_what_cannot_be_explained(
    world: World, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    world.app.execute(
        "INSERT INTO emea.account VALUES ('a', 'A', 'Rome', 1, true), ('b', 'B', 'Rome', 1, true)"
    )
    assert main(["explain", *arguments]) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "is not JSON"),
        ("[1]", "must hold a JSON object"),
        ('{"before": null}', "one of `before` and `after` must be a record"),
        ('{"after": 1}', "`before` and `after` must be JSON objects"),
        ('{"after": {"nmae": 1}}', "has no column `nmae` (did you mean `name`?)"),
    ],
)
def test_a_file_that_holds_no_record(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, document: str, said: str
) -> None:
    file = tmp_path / "record.json"
    file.write_text(document)
    assert main(["explain", "accounts", "--record", str(file)]) == 2
    assert said in capsys.readouterr().err


def test_a_record_whose_values_do_not_fit_its_table(explained: Explain, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text(json.dumps({"ext_id": "x", "active": "perhaps"}))
    found = explained("accounts", "--record", str(file))
    assert found["match"]["outcome"] == "schema"
    assert "the row does not fit the table" in found["transform"]["reject"]["message"]
