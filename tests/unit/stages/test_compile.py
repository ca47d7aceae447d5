"""Compiling a rule set: which rules and columns a table needs, and how its values pass."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from stages.change import Change, Operation
from stages.expression import ExpressionError
from stages.read import read_rows
from stages.rules.compile import compile_rules
from stages.rules.model import Mapping, Rule, RuleSet, Table
from tests.unit.stages.ruled import COLUMNS, EMEA, US, compiled


def values(document: str, **options: Any) -> dict[str, Any]:
    """What a rule maps from a row as Postgres wrote it."""
    rules = compiled(**options)
    change = Change(
        1, "emea", "account", Operation.INSERT, "application", "", after=msgspec.Raw(document.encode())
    )
    rows = read_rows(change, rules.tables["emea", "account"])
    assert rows.after is not None
    return rules.by_id[7].columns.values(rows.after)


def test_not_a_digit_is_lost() -> None:
    number = "12345678901234567890.123456789012345678901234567890"
    document = f'{{"k":"a","amount":{number}}}'
    encoder = msgspec.json.Encoder(decimal_format="number")
    for expression in ("amount", "amount + 0"):
        found = values(document, map={"amount": Mapping(expression)})
        assert encoder.encode(found).decode() == f'{{"amount":{number}}}'


def test_only_the_columns_that_rules_read_are_decoded() -> None:
    rules = compiled(when="active", map={"name": Mapping("upper(name)")})
    row = rules.tables["emea", "account"].decoder.decode(
        b'{"k":"a","name":"n","city":"c","amount":1,"active":true}'
    )
    assert set(row) == {"k", "name", "active"}


def test_constants_take_the_type_of_their_column() -> None:
    assert values('{"k":"a"}', map={"amount": Mapping("'1.50'"), "name": Mapping("'x'")}) == {
        "amount": Decimal("1.50"),
        "name": "x",
    }


def test_a_rule_that_is_switched_off_is_not_there() -> None:
    rules = compiled(enabled=False)
    assert (rules.tables, rules.by_id) == ({}, {})


def test_the_rules_of_a_table_are_kept_together() -> None:
    def rule(number: int, on: Operation) -> Rule:
        return Rule(
            id=number, name=str(number), version=1, source=EMEA, target=US, key={"k": "k"}, map={}, on=(on,)
        )

    tables = (Table(EMEA, "plain", COLUMNS, ("k",)), Table(US, "plain", COLUMNS))
    both = (rule(1, Operation.INSERT), rule(2, Operation.DELETE))
    rules = compile_rules(RuleSet(4, {"emea": "emea", "us": "us"}, tables, both))
    (table,) = rules.tables.values()
    assert [compiled.rule.id for compiled in table.rules] == [1, 2]
    assert table.operations == {Operation.INSERT, Operation.DELETE}
    assert (rules.version, rules.org_of) == (4, {"emea": "emea", "us": "us"})


def test_what_validate_would_refuse_is_refused_here_too() -> None:
    with pytest.raises(ExpressionError):
        compiled(when="pg_sleep(1)")
