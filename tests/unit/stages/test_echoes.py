"""Weighing the changes of a batch: whose record, in which order, and what is decided once."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stages.awaited import Patience
from stages.change import Change, Operation
from stages.echoes import Known, RecordName, weigh
from stages.filter import filter_changes
from stages.match import match_changes
from stages.passage import Passage, decode, encode
from stages.rules.compile import compile_rules
from stages.rules.model import Column, Mapping, Rule, RuleSet, Table, TableName
from stages.transform import transform_changes

if TYPE_CHECKING:
    from stages.write import Write

NORTH, SOUTH = (TableName(org, org, "account") for org in ("north", "south"))
COLUMNS: Final = tuple(Column(name, "text") for name in ("k", "name", "city", "sfid", "_hc_lastop", "stamp"))
PATIENCE: Final = Patience(100, 3)
Columns = dict[str, Any]
_numbers = itertools.count(1)


def _rule(number: int, source: TableName, target: TableName) -> Rule:
    columns = {"name": Mapping("name"), "city": Mapping("city")}
    return Rule(number, f"{source.org}-{target.org}", 1, source, target, {"k": "k"}, columns)


RULES: Final = compile_rules(
    RuleSet(
        1,
        {"north": "north", "south": "south"},
        tuple(Table(name, "heroku-connect", COLUMNS, ("k",)) for name in (NORTH, SOUTH)),
        (_rule(1, NORTH, SOUTH), _rule(2, SOUTH, NORTH)),
    )
)


def row(name: str, **columns: Any) -> Columns:
    """A row of the table."""
    return {"k": "x", "name": name, "city": "Rome", "sfid": None, "_hc_lastop": None, "stamp": None} | columns


def change(
    before: dict[str, Any] | None, after: dict[str, Any] | None, origin: str = "salesforce"
) -> Passage:
    """A change of south's table, up to apply."""
    operation = (
        Operation.INSERT if before is None else Operation.DELETE if after is None else Operation.UPDATE
    )
    keys = [None if one is None else {"k": one["k"]} for one in (before, after)]
    made = Change(
        next(_numbers),
        *("south", "account"),
        operation,
        origin,
        "2026-03-01T12:00:00+00:00",
        key=_raw(keys[1] or keys[0]),
        old_key=_raw(keys[0] if keys[1] not in (None, keys[0]) else None),
        before=_raw(before),
        after=_raw(after),
        path=("north",) if origin == "orgstream" else (),
    )
    passages = [Passage(1, made)]
    for stage in (filter_changes, match_changes, transform_changes):
        passages = [passage for passage in stage(passages, RULES) if passage is not None]
    (passage,) = passages
    return passage


def ours(before: Columns | None, after: Columns | None) -> Passage:
    """A write of Orgstream's."""
    return change(before, after, "orgstream")


def writes(*passages: Passage, known: Known | None = None) -> list[tuple[Write, ...]]:
    """What is written for each change, after weighing."""
    return [passage.writes for passage in weigh(passages, RULES, known or Known(), PATIENCE)]


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def test_a_batch_with_the_writes_and_their_echoes_is_weighed_in_order() -> None:
    found = writes(
        ours(None, row("a")),
        ours(row("a"), row("b")),
        change(row("b"), row("a", stamp="1")),
        change(row("a", stamp="1"), row("b", stamp="2")),
        change(row("b", stamp="2"), row("a", stamp="3")),
    )
    assert found[:4] == [(), (), (), ()]
    ((write,),) = found[4:]  # by then a user set it
    assert (write.changed, write.values["name"]) == (("name",), "a")


def test_what_heroku_connect_tells_of_its_own_settles_nothing() -> None:
    found = writes(
        ours(None, row("a")),
        ours(row("a"), row("b")),
        change(row("b"), row("b", sfid="001", _hc_lastop="INSERTED")),
        change(row("b", sfid="001"), row("a", sfid="001", stamp="1")),
    )
    assert found == [(), (), (), ()]


def test_another_column_goes_on_alone() -> None:
    *_, (write,) = writes(
        ours(None, row("a")), ours(row("a"), row("b")), change(row("b"), row("a", city="Oslo"))
    )
    assert write.changed == ("city",)
    assert write.values["name"] == "b"  # should the row have to be made, it is made with the newest value


def test_a_change_of_the_key_takes_along_what_is_outstanding() -> None:
    found = writes(
        ours(None, row("a")),
        ours(row("a"), row("b")),
        ours(row("b"), row("b", k="y")),
        change(row("b", k="y"), row("a", k="y", stamp="1")),
    )
    assert found[3] == ()


def test_a_deleted_record_awaits_nothing() -> None:
    *_, (write,) = writes(ours(None, row("a")), ours(row("a"), None), change(None, row("a", stamp="1")))
    assert write.values["name"] == "a"


def test_a_row_that_a_reload_makes_again_shows_what_is_outstanding() -> None:
    *_, (write,) = writes(ours(None, row("a")), ours(row("a"), row("b")), change(None, row("a", stamp="1")))
    assert write.values["name"] == "b"


def test_a_change_that_was_weighed_before_is_decided_as_it_was() -> None:
    first, second, echo = (
        ours(None, row("a")),
        ours(row("a"), row("b")),
        change(row("b"), row("a", stamp="1")),
    )
    name = RecordName("south", "account", '{"k":"x"}')
    weighed = weigh((first, second, echo), RULES, Known(), PATIENCE)
    notes = [passage.note for passage in weighed]
    assert [note.name for note in notes] == [name] * 3
    known = Known({name: notes[2].record}, {name: notes[2].change_id}, {notes[2].change_id: notes[2].shown})
    again = weigh((first, second, echo), RULES, known, PATIENCE)
    assert [passage.writes for passage in again] == [(), (), ()]
    assert [passage.note for passage in again] == [None] * 3


def test_its_rows_go_along_between_split_workers() -> None:
    echo = change(row("b"), row("a", stamp="1"))
    assert decode(encode(echo)).change == echo.change
    assert decode(encode(echo)).echoes
