"""The tests of rules that look values up: what a lookup finds is stated, and what is not is not found."""

from __future__ import annotations

from typing import Final

import pytest

from pipeline.rules.declare import declare
from pipeline.rules.document import parse
from stages.rules.check import check
from stages.rules.facts import Catalogue, TableFacts
from stages.rules.model import Column

COLUMNS: Final = (
    Column("ext", "text"),
    Column("owner", "text"),
    Column("parent", "text"),
    Column("n", "integer"),
)
TABLE: Final = TableFacts("a", "t", "table", "plain", COLUMNS, ("ext",), (("ext",),))
OWNER: Final = TableFacts("b", "owner", "table", "plain", (Column("name", "text"), Column("n", "integer")))
RULE: Final = """
[orgs.a]
schema = "a"
[orgs.b]
schema = "b"
[[rules]]
name = "r"
from = "a.t"
to = "b.t"
key = { ext = "ext" }
[rules.map]
n = { lookup = "b.owner", where = { name = "owner" }, take = "n", missing = "MISSING", DEFAULT }
parent = { lookup = "b.t", where = { ext = "parent" }, take = "ext" }
[[rules.tests]]
"""


def faults(test: str, missing: str = "null", default: str = "") -> list[str]:
    text = RULE.replace("MISSING", missing).replace(", DEFAULT", default and f", {default}") + test
    declared, of_form = declare([parse(text.encode(), "rules.toml")])
    target = TableFacts("b", "t", "table", "plain", COLUMNS, ("ext",), (("ext",),))
    names = {"a": ("t",), "b": ("t", "owner")}
    tables = {("a", "t"): TABLE, ("b", "t"): target, ("b", "owner"): OWNER}
    _, found, _ = check(declared, Catalogue(("a", "b"), names, tables), of_form)
    return [fault.message for fault in [*of_form, *found]]


GIVEN: Final = 'given = { ext = "e", owner = "ann", parent = "p" }\n'


@pytest.mark.parametrize(
    ("test", "missing", "default"),
    [
        ('lookups = { n = 7, parent = "P" }\nexpect = "enter"\nvalues = { n = 7, parent = "P" }', "null", ""),
        ('lookups = { parent = "P" }\nexpect = "enter"\nnulls = ["n"]', "null", ""),
        ('lookups = { parent = "P" }\nexpect = "enter"\nvalues = { n = 9 }', "default", 'default = "9"'),
        ('lookups = { parent = "P" }\ncause = "not-found"', "dead-letter", ""),
        ('lookups = { n = 7 }\nexpect = "waits"', "null", ""),
    ],
)
def test_what_a_lookup_finds_and_does_not(test: str, missing: str, default: str) -> None:
    assert faults(GIVEN + test, missing, default) == []


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ('lookups = { n = 7 }\nexpect = "enter"', "test #1: expected enter, found waits"),
        ('lookups = { parent = "P" }\nexpect = "waits"', "test #1: expected waits, found enter"),
        (
            'lookups = { n = 7, parent = "P" }\nexpect = "enter"\nvalues = { n = 8 }',
            "`n` should be 8, and is 7",
        ),
        ('lookups = { m = 7 }\nexpect = "enter"', "test #1: `m` is not filled by a `lookup`"),
        ('lookups = { n = "x" }\nexpect = "enter"', "test #1: `n` takes integer: it must be a whole number"),
    ],
)
def test_what_does_not_come_out_so_is_said(test: str, said: str) -> None:
    (fault,) = faults(GIVEN + test)
    assert said in fault


def test_nothing_is_looked_up_by_null() -> None:
    assert faults('given = { ext = "e" }\nexpect = "enter"\nnulls = ["n", "parent"]') == []
