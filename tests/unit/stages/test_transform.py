"""What a rule writes for each transition."""

from __future__ import annotations

from typing import Any

import pytest

from stages.passage import Passage, decode, encode
from stages.reject import Cause, Reject
from stages.rules.model import Mapping, SetColumns
from stages.transform import transform_changes
from stages.write import Action, Write
from tests.unit.stages.ruled import Row, compiled, matched, passage, row, transformed


def outcome(before: Row | None, after: Row | None, **options: Any) -> Write | Reject | None:
    """The one write, or the one reject; None where nothing is to be written."""
    found = transformed(compiled(**options), passage(before, after))
    if found is None:
        return None
    outcomes: list[Write | Reject] = [*found.writes, *found.rejects]
    (only,) = outcomes
    return only


def test_a_record_that_enters_is_written_whole() -> None:
    assert outcome(None, row()) == Write(7, Action.UPSERT, ("a",), {"name": "Ann", "city": "Rome"})
    assert outcome(row(active=False), row(), when="active") == outcome(None, row())


def test_inside_only_changed_columns_are_written() -> None:
    found = outcome(row(), row(city="Oslo"))
    assert found == Write(7, Action.UPDATE, ("a",), {"name": "Ann", "city": "Oslo"}, ("city",))


def test_a_change_of_what_is_not_mapped_writes_nothing() -> None:
    assert outcome(row(), row(amount=2)) is None
    assert outcome(row(name="Ann"), row(name="ANN"), map={"name": Mapping("upper(name)")}) is None


def test_null_to_value_and_back_is_a_change() -> None:
    for before, after in ((None, "x"), ("x", None)):
        found = outcome(row(name=before), row(name=after))
        assert isinstance(found, Write)
        assert (found.changed, found.values["name"]) == (("name",), after)


def test_a_change_of_key_renames() -> None:
    found = outcome(row(), row(k="b"))
    assert found == Write(7, Action.UPDATE, ("b",), {"name": "Ann", "city": "Rome"}, (), ("a",))


def test_a_key_that_was_null_before_is_written_whole() -> None:
    assert outcome(row(k=None), row()) == outcome(None, row())


@pytest.mark.parametrize(
    ("before", "after"), [(None, row(k=None)), (row(), row(k=None)), (row(k=None), None)]
)
def test_a_null_key_is_a_reject(before: Row | None, after: Row | None) -> None:
    found = outcome(before, after)
    assert isinstance(found, Reject)
    assert (found.cause, found.rule, found.rule_version, found.change_id) == (Cause.NO_KEY, "r", 2, 5)
    assert "k" in found.message


class TestRemoval:
    """`on_delete` for a record that is gone, `on_unmatched` for one that no longer meets `when`."""

    CASES = (("on_delete", None), ("on_unmatched", row(active=False)))

    @pytest.mark.parametrize(("name", "after"), CASES)
    def test_delete(self, name: str, after: Row | None) -> None:
        options = {"when": "active", "on_delete": "ignore", name: "delete"}
        assert outcome(row(), after, **options) == Write(7, Action.DELETE, ("a",))

    @pytest.mark.parametrize(("name", "after"), CASES)
    def test_set(self, name: str, after: Row | None) -> None:
        policy = SetColumns({"city": "'gone'", "name": "upper(name)"})
        found = outcome(row(), after, **{"when": "active", name: policy})
        values = {"city": "gone", "name": "ANN"}
        assert found == Write(7, Action.UPDATE, ("a",), values, ("city", "name"), revives=False)

    def test_leave_alone(self) -> None:
        assert outcome(row(), row(active=False), when="active") is None
        assert outcome(row(), None, on_delete="ignore") is None

    def test_of_a_record_that_did_not_meet_the_condition(self) -> None:
        assert outcome(row(active=False), None, when="active") is None


class TestValues:
    """A table of values, and what it does not know."""

    MAP = Mapping("city", values={"Rome": "IT"})

    def test_known_and_null(self) -> None:
        for city, expected in (("Rome", "IT"), (None, None)):
            found = outcome(None, row(city=city), map={"city": self.MAP})
            assert isinstance(found, Write)
            assert found.values == {"city": expected}

    def test_unknown_is_a_reject_that_does_not_tell_the_value(self) -> None:
        found = outcome(None, row(city="Secret"), map={"city": self.MAP})
        assert isinstance(found, Reject)
        assert found.cause is Cause.UNMAPPED
        assert "Secret" not in found.message

    def test_unknown_with_a_default(self) -> None:
        found = outcome(
            None, row(city="x"), map={"city": Mapping("city", values={"Rome": "IT"}, default="'other'")}
        )
        assert isinstance(found, Write)
        assert found.values == {"city": "other"}

    def test_a_fault_before_the_change_only_means_that_it_changed(self) -> None:
        found = outcome(row(city="x"), row(), map={"city": self.MAP})
        assert isinstance(found, Write)
        assert found.changed == ("city",)


def test_an_expression_that_fails_is_a_reject() -> None:
    found = outcome(None, row(amount=0), map={"amount": Mapping("1 / amount")})
    assert isinstance(found, Reject)
    assert (found.cause, found.sqlstate) == (Cause.EXPRESSION, "22012")


def test_in_another_process_the_rows_are_read_again() -> None:
    rules = compiled(map={"name": Mapping("upper(name)"), "amount": Mapping("amount")})
    here = matched(rules, passage(None, row(amount=0.10)))
    assert here is not None
    there = decode(encode(here))
    (a,), (b,) = (transform_changes([found], rules) for found in (here, there))
    assert isinstance(a, Passage)
    assert a == b
    assert encode(a) == encode(decode(encode(a)))


def test_the_rows_do_not_travel_on() -> None:
    found = transformed(compiled(), passage(None, row()))
    assert found is not None
    assert found.change is not None
    sent = decode(encode(found))
    assert sent.change is not None
    assert (bytes(sent.change.after), sent.rows) == (b"null", None)
