"""Warnings: what is valid and may become dead letters."""

from __future__ import annotations

import pytest

from pipeline.rules.declare import declare
from pipeline.rules.document import parse
from stages.rules.check import check
from stages.rules.facts import Catalogue, TableFacts
from stages.rules.model import Column

RULE = """
[orgs.a]
schema = "a"
[orgs.b]
schema = "b"
[[rules]]
name = "r"
from = "a.t"
to = "b.t"
key = { k = "k" }
[rules.map]
"""


def warnings(source: str, target: str, expression: str = "c", *, nullable: bool = True) -> list[str]:
    """What is said of one column that is mapped to another."""

    def facts(schema: str, column: Column) -> TableFacts:
        key = Column("k", "text", nullable=False)
        return TableFacts(schema, "t", "table", "plain", (key, column), ("k",), (("k",),))

    tables = {
        ("a", "t"): facts("a", Column("c", source)),
        ("b", "t"): facts("b", Column("c", target, nullable=nullable)),
    }
    declared, of_form = declare([parse(f'{RULE}c = "{expression}"'.encode(), "f")])
    catalogue = Catalogue(("a", "b"), {"a": ("t",), "b": ("t",)}, tables)
    _, faults, found = check(declared, catalogue, of_form)
    assert not faults
    assert all(fault.place.line == 12 for fault in found)
    return [str(fault) for fault in found]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("character varying(255)", "character varying(80)"),
        ("text", "character varying(80)"),
        ("numeric(18,2)", "numeric(10,2)"),
        ("numeric", "numeric(10,2)"),
        ("bigint", "integer"),
        ("integer", "smallint"),
    ],
)
def test_a_narrower_column(source: str, target: str) -> None:
    (said,) = warnings(source, target)
    assert (
        f"rule r: `c` is {target}, and `c` {source}: a value that does not fit becomes a dead letter" in said
    )


def test_the_advice_for_a_text() -> None:
    (said,) = warnings("character varying(255)", "character varying(80)")
    assert said.endswith("(cut it: left(c, 80))")


@pytest.mark.parametrize(
    ("source", "target", "expression"),
    [
        ("character varying(80)", "character varying(80)", "c"),
        ("character varying(80)", "text", "c"),
        ("integer", "bigint", "c"),
        ("integer", "numeric(5,2)", "c"),  # of another kind: not told by widths
        ("numeric(10,2)", "numeric(10,1)", "c"),  # is rounded
        ("text", "character varying(80)", "left(c, 80)"),
        ("text", "character varying(80)", "upper(c)"),
        ("uuid", "uuid", "c"),
    ],
)
def test_no_doubt(source: str, target: str, expression: str) -> None:
    assert warnings(source, target, expression) == []


def test_a_null_where_none_may_be() -> None:
    (said,) = warnings("text", "text", nullable=False)
    assert said.endswith(
        "`c` cannot be NULL, and `c` can: such a record becomes a dead letter (for example COALESCE(c, …))"
    )
    assert warnings("text", "text", "COALESCE(c, '')", nullable=False) == []
