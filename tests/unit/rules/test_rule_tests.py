"""The tests that a rules file holds: run without a database, and each failure said where it stands."""

from __future__ import annotations

from typing import Final

import pytest

from pipeline.rules.declare import declare
from pipeline.rules.document import parse
from stages.rules.check import check
from stages.rules.facts import Catalogue, TableFacts
from stages.rules.model import Column

SOURCE: Final = (
    Column("ext", "text"),
    Column("name", "character varying(80)"),
    Column("stage", "text"),
    Column("amount", "numeric(12,2)"),
    Column("share", "double precision"),
    Column("staff", "integer"),
    Column("active", "boolean"),
    Column("day", "date"),
    Column("seen", "timestamp without time zone"),
    Column("at", "timestamp with time zone"),
    Column("extra", "jsonb"),
)
TARGET: Final = (
    Column("ext", "text", nullable=False),
    Column("name", "character varying(10)", nullable=False),
    Column("stage", "text"),
    Column("amount", "numeric(12,1)"),
    Column("share", "double precision"),
    Column("staff", "integer"),
    Column("shut", "boolean"),
    Column("day", "date"),
    Column("seen", "timestamp without time zone"),
    Column("at", "timestamp with time zone"),
    Column("extra", "jsonb"),
)
RULE: Final = """
[orgs.a]
schema = "a"
[orgs.b]
schema = "b"
[[rules]]
name = "r"
from = "a.t"
to = "b.t"
when = "active"
key = { ext = "ext" }
on_unmatched = { set = { shut = "true" } }
[rules.map]
name = "upper(name)"
amount = "amount"
share = "share / 2"
staff = "10 / staff"
day = "day"
seen = "seen"
at = "at"
extra = "extra"
stage = { expr = "stage", values = { Open = "New" } }
"""
FIRST_LINE: Final = RULE.count("\n") + 1  # of what is put behind it


def table(schema: str, columns: tuple[Column, ...]) -> TableFacts:
    return TableFacts(schema, "t", "table", "plain", columns, ("ext",), (("ext",),))


CATALOGUE: Final = Catalogue(
    ("a", "b"), {"a": ("t",), "b": ("t",)}, {("a", "t"): table("a", SOURCE), ("b", "t"): table("b", TARGET)}
)


def failures(test: str, rule: str = RULE) -> list[str]:
    """What is said of one test, each with its line counted from the test's own first."""
    declared, of_form = declare([parse(f"{rule}[[rules.tests]]\n{test}".encode(), "f")])
    _, faults, _ = check(declared, CATALOGUE, of_form)
    return [
        f"{fault.place.line - FIRST_LINE}: {fault.message}"
        + (f" ({fault.suggestion})" if fault.suggestion else "")
        for fault in [*of_form, *faults]
    ]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ('name = "Ann"', 'values = { name = "ANN", ext = "x" }'),
        ('name = "a", amount = 1.26', "values = { amount = 1.3 }"),
        ('name = "a", amount = "1.26"', 'values = { amount = "1.30" }'),
        ('name = "a", share = 1', "values = { share = 0.5 }"),
        ('name = "a", staff = 5', "values = { staff = 2 }"),
        ('name = "a"', 'nulls = ["stage", "amount"]'),
        ('name = "a", day = 2026-01-02', 'values = { day = "2026-01-02" }'),
        ('name = "a", seen = 2026-01-02T03:04:05', 'values = { seen = "2026-01-02 03:04:05" }'),
        ('name = "a", at = 2026-01-02T03:04:05+02:00', "values = { at = 2026-01-02T01:04:05Z }"),
        ('name = "a", extra = { b = [1, 2] }', "values = { extra = { b = [1, 2] } }"),
    ],
)
def test_values_of_a_record_that_enters(record: str, expected: str) -> None:
    for key in ("given", "after"):
        test = f'{key} = {{ ext = "x", active = true, {record} }}\nexpect = "enter"\n{expected}'
        assert failures(test) == []


@pytest.mark.parametrize(
    "test",
    [
        'given = { ext = "x", active = false }\nexpect = "none"',
        'given = { ext = "x" }\nexpect = "none"',  # NULL counts as not met
        'before = { ext = "x" }\nafter = { ext = "x", active = true, name = "a" }\nexpect = "enter"',
        'before = { ext = "x", active = true }\nafter = { ext = "x", active = true }\nexpect = "inside"',
        'before = { ext = "x", active = true }\nafter = { ext = "x" }\nexpect = "leave"\nvalues.shut = true',
        'before = { ext = "x", active = true }\nexpect = "delete"',
        'given = { active = true, name = "a" }\ncause = "no-key"',
        'given = { ext = "x", active = true, name = "a", staff = 0 }\ncause = "expression"',
        'given = { ext = "x", active = true, name = "a", stage = "Shut" }\ncause = "unmapped"',
        'given = { ext = "x", active = true, name = "much too long" }\ncause = "refused"',
        'given = { ext = "x", active = true }\ncause = "refused"',  # a NULL where it may not be
    ],
)
def test_a_test_that_holds(test: str) -> None:
    assert failures(test) == []


TOO_LONG: Final = "character varying(10): the text is too long for character varying(10)"
ADVICE: Final = " (mend the rule, or what the test expects)"


@pytest.mark.parametrize(
    ("test", "failure"),
    [
        ('given = { ext = "x" }\nexpect = "enter"', f"0: test #1: expected enter, found none{ADVICE}"),
        (
            'name = "sales"\ngiven = { ext = "x", active = true, name = "a" }\nexpect = "none"',
            f'0: test "sales": expected none, found enter{ADVICE}',
        ),
        (
            'given = { ext = "x", active = true, name = "Ann" }\nexpect = "enter"\nvalues = { name = "Ann" }',
            '3: test #1: `name` should be "Ann", and is "ANN"',
        ),
        (
            'given = { ext = "x", active = true, name = "Ann" }\nexpect = "enter"\nnulls = ["name"]',
            '3: test #1: `name` should be NULL, and is "ANN"',
        ),
        (
            'given = { ext = "x", active = true, name = "Ann" }\nexpect = "enter"\nvalues = { staff = 1 }',
            "3: test #1: `staff` should be 1, and is NULL",
        ),
        (
            'given = { ext = "x", active = true, name = "Ann" }\nexpect = "enter"\nvalues = { nmae = "Ann" }',
            "3: test #1: `nmae` is not written then (did you mean `name`?)",
        ),
        (
            'given = { ext = "x", active = true, name = "a", staff = 0 }\nexpect = "enter"',
            f"0: test #1: expected enter, but it fails with expression: division by zero{ADVICE}",
        ),
        (
            'given = { ext = "x", active = true, name = "much too long" }\nexpect = "enter"',
            f"0: test #1: expected enter, but it fails with refused: `name` is {TOO_LONG}{ADVICE}",
        ),
        (
            'given = { ext = "x", active = true, name = "a" }\ncause = "no-key"',
            f"0: test #1: expected to fail with no-key, but found enter{ADVICE}",
        ),
        (
            'given = { actve = true }\nexpect = "none"',
            "1: test #1: the source a.t has no column `actve` (did you mean `active`?)",
        ),
        (
            'given = { staff = "x" }\nexpect = "none"',
            "1: test #1: `staff` is integer: it must be a whole number",
        ),
        (
            'given = { staff = true }\nexpect = "none"',
            "1: test #1: `staff` is integer: it must be a whole number",
        ),
        (
            'given = { name = 5 }\nexpect = "none"',
            "1: test #1: `name` is character varying(80): it must be a string",
        ),
    ],
)
def test_a_test_that_fails(test: str, failure: str) -> None:
    assert failures(test) == [failure]


def test_a_rule_that_is_switched_off_is_tested_too() -> None:
    off = RULE.replace("[rules.map]", "enabled = false\n[rules.map]")
    (failure,) = failures('given = { ext = "x" }\nexpect = "enter"', off)
    assert "expected enter, found none" in failure


def test_the_origin_is_one_that_the_rule_heeds() -> None:
    heeds = RULE.replace("[rules.map]", 'origins = ["salesforce"]\n[rules.map]')
    given = 'given = { ext = "x", name = "a", active = true }\n'
    assert failures(f'{given}expect = "enter"', heeds) == []
    assert failures(f'{given}origin = "application"\nexpect = "none"', heeds) == []
    (fault,) = failures(f'{given}origin = "sales"\nexpect = "enter"', heeds)
    assert '`origin` cannot be "sales" (did you mean `salesforce`?)' in fault


def test_a_faulty_rule_is_not_tested() -> None:
    (fault,) = failures('given = { ext = "x" }\nexpect = "enter"', RULE.replace('"active"', '"actve"'))
    assert "unknown column actve" in fault
