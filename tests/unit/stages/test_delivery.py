"""What entries of the trigger log say: refused or not after all, and what became of it later."""

from __future__ import annotations

import pytest

from stages.delivery import Entry, Followed, Refusal, follow, refused_columns, took_effect
from stages.hstore import read_hstore

MINE, OTHERS = "001000000000001AAA", "001000000000002AAA"


def entry(number: int, action: str = "UPDATE", state: str = "SUCCESS", **columns: str) -> Entry:
    """An entry of the record `x` that wrote these columns."""
    written = ", ".join(f'"{name}"=>"{value}"' for name, value in columns.items())
    return Entry(number, action, state, 1, f"said {number}", '"ext_id__c"=>"x"', written)


def duplicate(field: str, holder: str, action: str = "INSERT", state: str = "FAILED") -> Entry:
    """A refusal for another record with the same value."""
    message = f"DUPLICATE_VALUE: duplicate value found: {field} duplicates value on record with id: {holder}"
    return Entry(1, action, state, 1, message, "", '"ext_id__c"=>"x"')


@pytest.mark.parametrize(
    ("given", "sfid", "expected"),
    [
        (duplicate("Ext_Id__c", MINE), None, True),
        (duplicate("Ext_Id__c", MINE[:15]), MINE, True),
        (duplicate("Ext_Id__c", OTHERS), MINE, False),
        (duplicate("Email__c", OTHERS), None, False),
        (duplicate("Ext_Id__c", MINE, "UPDATE"), None, False),
        (duplicate("Ext_Id__c", MINE, state="REQUEUE"), None, False),
        (duplicate("<unknown>", "<unknown>"), None, False),
        (entry(1, "INSERT", "FAILED"), MINE, False),
    ],
)
def test_a_duplicate_of_its_own(given: Entry, sfid: str | None, expected: bool) -> None:
    assert took_effect(given, ("ext_id__c",), sfid) is expected


def refusal(action: str, *columns: str) -> Refusal:
    return Refusal({"ext_id__c": "x"}, action, columns)


@pytest.mark.parametrize(
    ("refused", "later", "expected"),
    [
        (refusal("UPDATE", "a"), [], None),
        (refusal("UPDATE", "a", "b"), [entry(2, a="1")], Followed(False, ("b",), 2)),
        (refusal("UPDATE", "a", "b"), [entry(2, a="1"), entry(3, b="1")], Followed(True, (), 3)),
        (
            refusal("UPDATE", "a"),
            [entry(2, state="FAILED", a="1")],
            Followed(False, ("a",), 2, attempts=1, message="said 2"),
        ),
        (
            refusal("INSERT"),
            [entry(2, state="FAILED", a="1")],  # it finds no record, which everybody knows
            Followed(False, (), 2, attempts=1),
        ),
        (refusal("INSERT"), [entry(2, state="MERGED"), entry(3)], Followed(True, (), 3)),
        (refusal("DELETE"), [entry(2, a="1")], Followed(False, (), 2)),
        (refusal("DELETE"), [entry(2, "DELETE")], Followed(True, (), 2)),
        (refusal("UPDATE", "a"), [entry(2, ext_id__c="other", a="1")], Followed(False, ("a",), 2)),
    ],
)
def test_what_became_of_a_refusal(refused: Refusal, later: list[Entry], expected: Followed | None) -> None:
    assert follow(refused, later) == expected


def test_the_columns_of_an_insert_are_no_matter() -> None:
    assert refused_columns(entry(1, "UPDATE", a="1", b="2")) == ("a", "b")
    assert refused_columns(entry(1, "INSERT", a="1")) == ()


def test_a_refusal_without_a_word_has_a_message() -> None:
    silent = Entry(1, "UPDATE", "READONLY", 1, "", "", "")
    assert silent.fault().startswith("the mapping of this table is read-only")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ('"a"=>"1", "b"=>NULL', {"a": "1", "b": None}),
        ('"a"=>"NULL"', {"a": "NULL"}),
        (r'"a"=>"say \"hi\" \\ there", "b c"=>"=>, x"', {"a": r'say "hi" \ there', "b c": "=>, x"}),
        ('"a"=>"two\nlines"', {"a": "two\nlines"}),
    ],
)
def test_hstore(text: str, expected: dict[str, str | None]) -> None:
    assert read_hstore(text) == expected
