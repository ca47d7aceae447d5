"""What is outstanding of a record, and what a change of Salesforce's tells of it."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from stages.awaited import (
    MOST,
    Answer,
    Patience,
    Record,
    Row,
    came_back,
    overtaken,
    sent_on,
    told,
    written,
)
from stages.canonical import canonical
from stages.expression import SqlType

TYPES: Final = {"name": SqlType.TEXT, "city": SqlType.TEXT}
PATIENCE: Final = Patience(seconds=100, rounds=3)


def row(name: str | None, city: str | None = None) -> Row:
    """A row of two columns."""
    return {"name": raw(name), "city": raw(city)}


def raw(value: Any) -> msgspec.Raw:
    """A value as JSON."""
    return msgspec.Raw(msgspec.json.encode(value))


def after_writes(*names: str, at: float = 0.0, record: Record | None = None) -> Record:
    """What is outstanding after the name was written so."""
    record, before = record or {}, row("")
    for name in names:
        record = written(record, before, row(name), TYPES, at, ours=True)
        before = row(name)
    return record


def answered(record: Record, before: Row, after: Row, at: float = 1.0) -> Answer:
    """What a change of Salesforce's tells."""
    return came_back(record, before, after, TYPES, at=at, patience=PATIENCE)


def outstanding(record: Record) -> list[Any]:
    """The outstanding names."""
    return [msgspec.json.decode(v.value) for v in record["name"].versions] if "name" in record else []


def test_the_echo_of_the_newest_version_settles_all() -> None:
    answer = answered(after_writes("a", "b"), row("b"), row("b"))
    assert (outstanding(answer.record), answer.shown) == ([], {})


def test_an_echo_of_an_older_version_settles_only_what_came_before_it() -> None:
    answer = answered(after_writes("a", "b", "c"), row("c"), row("b"))
    assert outstanding(answer.record) == ["c"]
    assert answer.shown == {"name": raw("c")}  # what the record will hold in the end
    late = answered(answer.record, row("b"), row("c"))
    assert (outstanding(late.record), late.shown) == ([], {"name": raw("c")})


def test_a_value_that_was_written_twice_is_taken_for_its_last_time() -> None:
    answer = answered(after_writes("a", "b", "a"), row("a"), row("a"))
    assert outstanding(answer.record) == []


def test_another_value_is_a_true_change_and_settles_all() -> None:
    """The other orgs get it; so they have to get what follows it, should it be one of ours."""
    answer = answered(after_writes("a", "b"), row("b"), row("user's"))
    assert (outstanding(answer.record), answer.shown) == ([], {})
    follows = answered(answer.record, row("user's"), row("b"))
    assert follows.shown == {}


def test_an_old_value_that_a_user_sets_again_once_it_is_settled_is_a_true_change() -> None:
    settled = answered(after_writes("a", "b"), row("b"), row("b")).record
    assert answered(settled, row("b"), row("a")).shown == {}


def test_a_version_is_outstanding_for_a_bounded_time() -> None:
    record = after_writes("a", "b", at=0.0)
    assert answered(record, row("b"), row("a"), at=100.0).shown == {"name": raw("b")}
    assert answered(record, row("b"), row("a"), at=100.5).shown == {}


def test_a_column_that_waits_shows_its_newest_version_while_others_truly_change() -> None:
    flopped = answered(after_writes("a", "b"), row("b"), row("a")).record
    answer = answered(flopped, row("a", "Rome"), row("a", "Oslo"))
    assert answer.shown == {"name": raw("b")}


def test_an_old_value_that_stands_over_a_newer_one_is_known() -> None:
    record = answered(after_writes("a", "b"), row("b"), row("a")).record
    assert overtaken(record, row("a"), row("a"), TYPES)["name"].value == raw("b")
    assert overtaken(record, row("a"), row("c"), TYPES) == {}  # the write changes it anyway
    assert overtaken(record, row("b"), row("b"), TYPES) == {}  # written since, and not weighed yet
    later = written(record, row("a"), row("c"), TYPES, 2.0, ours=True)
    assert overtaken(later, row("c"), row("c"), TYPES) == {}
    assert overtaken(answered(record, row("a"), row("b")).record, row("b"), row("b"), TYPES) == {}


def test_what_salesforce_held_before_a_write_is_no_change_until_it_is_told_of_the_write() -> None:
    record = written({}, row("old"), row("a"), TYPES, 0.0, ours=True)
    read = answered(record, row("a"), row("old"))
    assert (outstanding(read.record), read.shown) == (["a"], {"name": raw("a")})
    assert overtaken(read.record, row("old"), row("old"), TYPES)["name"].value == raw("a")
    assert answered(told(record), row("a"), row("old")).shown == {}


def test_what_came_back_is_what_salesforce_holds_until_it_is_told_of_the_next_write() -> None:
    record = written({}, row("old"), row("a"), TYPES, 0.0, ours=True)
    record = written(record, row("a"), row("b"), TYPES, 0.0, ours=True)
    record = answered(record, row("b"), row("a")).record
    record = written(record, row("a"), row("c"), TYPES, 0.0, ours=True)
    assert answered(record, row("c"), row("a")).shown == {"name": raw("c")}
    assert answered(told(record), row("c"), row("a")).shown == {}


def test_what_others_were_told_is_followed_by_what_comes_back_later() -> None:
    record = answered(after_writes("a", "b"), row("b"), row("a")).record
    assert sent_on(record, row("lost"), row("a"), TYPES) == {}
    assert sent_on(record, None, row("a"), TYPES) == {}
    assert sent_on(record, row("a"), row("a"), TYPES) == record  # of another column
    assert sent_on(record, row("lost"), row("b"), TYPES) == record  # they have it


def test_a_column_that_only_loses_its_blanks_is_not_changed() -> None:
    assert answered({}, row(" Ann "), row("Ann")).shown == {"name": raw("Ann")}


def test_a_column_is_contested_when_it_went_to_and_fro_too_often() -> None:
    record: Record = {}
    found = []
    for number in range(PATIENCE.rounds):
        record = after_writes("ours", at=number, record=record)
        answer = answered(record, row("ours"), row("theirs"), at=number)
        record = answer.record
        found.append(answer.contested)
    assert found == [(), (), ("name",)]
    assert record == {}  # a person who lets it go on gives it as many rounds again


def test_rounds_that_are_far_apart_are_no_contest() -> None:
    record: Record = {}
    for number in range(10 * PATIENCE.rounds):
        at = number * (PATIENCE.seconds + 1)
        record = after_writes("ours", at=at, record=record)
        answer = answered(record, row("ours"), row("theirs"), at=at)
        assert answer.contested == ()
        record = answer.record


def test_a_value_that_salesforce_kept_ends_a_contest() -> None:
    record: Record = {}
    for number in range(10):
        record = after_writes("ours", record=record)
        theirs = "ours" if number % 2 else "theirs"
        answer = answered(record, row("ours"), row(theirs))
        assert answer.contested == ()
        record = answer.record


def test_only_so_many_versions_are_remembered() -> None:
    record = after_writes(*(f"n{number}" for number in range(MOST + 50)))
    assert outstanding(record) == [f"n{number}" for number in range(50, MOST + 50)]


@pytest.mark.parametrize(
    ("type_", "one", "other"),
    [
        (SqlType.TEXT, "  Ann ", "Ann"),
        (SqlType.TEXT, "   ", None),
        (SqlType.TEXT, "", None),
        (SqlType.BOOLEAN, None, False),
        (SqlType.DOUBLE, 1.2345678901234568e16, 1.23456789012346e16),
        (SqlType.NUMERIC, 1.10, 1.1),
        (SqlType.NUMERIC, -0.0, 0),
        (SqlType.TIMESTAMP, "2026-02-03T04:05:06.789", "2026-02-03T04:05:06"),
        (SqlType.TIMESTAMPTZ, "2026-02-03T04:05:06+02:00", "2026-02-03T02:05:06+00:00"),
    ],
)
def test_values_that_salesforce_cannot_tell_apart(type_: SqlType, one: Any, other: Any) -> None:
    assert canonical(raw(one), type_) == canonical(raw(other), type_)


@pytest.mark.parametrize(
    ("type_", "one", "other"),
    [
        (SqlType.TEXT, "Ann", "ann"),
        (SqlType.TEXT, "0", None),
        (SqlType.BOOLEAN, True, False),
        (SqlType.DOUBLE, 1.23456789012345, 1.23456789012346),
        (SqlType.DOUBLE, 0, None),
        (SqlType.TIMESTAMP, "2026-02-03T04:05:06", "2026-02-03T04:05:07"),
        (SqlType.TIMESTAMP, "infinity", None),
        (SqlType.DATE, "2026-02-03", "2026-02-04"),
        (SqlType.OTHER, {"a": 1}, {"a": 2}),
    ],
)
def test_values_that_differ(type_: SqlType, one: Any, other: Any) -> None:
    assert canonical(raw(one), type_) != canonical(raw(other), type_)
