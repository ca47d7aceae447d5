"""One rule, compiled, and changes to give to the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stages.change import Change, Operation
from stages.filter import filter_changes
from stages.match import match_changes
from stages.passage import Passage
from stages.rules.compile import compile_rules
from stages.rules.model import Column, Mapping, Rule, RuleSet, Table, TableName
from stages.transform import transform_changes

if TYPE_CHECKING:
    from stages.rules.compile import CompiledRules

EMEA = TableName("emea", "emea", "account")
US = TableName("us", "us", "account")
COLUMNS = (
    Column("k", "text"),
    Column("name", "text"),
    Column("city", "text"),
    Column("amount", "numeric"),
    Column("active", "boolean"),
)
Row = dict[str, Any]


def compiled(**options: Any) -> CompiledRules:
    """One rule emea.account -> us.account; `options` are fields of Rule."""
    given: dict[str, Any] = {"key": {"k": "k"}, "map": {"name": Mapping("name"), "city": Mapping("city")}}
    rule = Rule(id=7, name="r", version=2, source=EMEA, target=US, **given | options)
    tables = (Table(EMEA, "plain", COLUMNS, ("k",)), Table(US, "plain", COLUMNS))
    return compile_rules(RuleSet(1, {"emea": "emea", "us": "us"}, tables, (rule,)))


def row(**columns: Any) -> Row:
    """A source row."""
    return {"k": "a", "name": "Ann", "city": "Rome", "amount": 1, "active": True} | columns


def passage(before: Row | None, after: Row | None, *, origin: str = "application", path: str = "") -> Passage:
    """A change from one row to another, as it comes to the first stage."""
    operation = (
        Operation.INSERT if before is None else Operation.DELETE if after is None else Operation.UPDATE
    )
    change = Change(
        5,
        "emea",
        "account",
        operation,
        origin,
        "2026-03-01 12:00:00+00",
        before=msgspec.Raw(msgspec.json.encode(before)),
        after=msgspec.Raw(msgspec.json.encode(after)),
        path=tuple(path.split(",")) if path else (),
    )
    return Passage(1, change)


def matched(rules: CompiledRules, given: Passage) -> Passage | None:
    """What filter and match make of it."""
    (kept,) = filter_changes([given], rules)
    return None if kept is None else match_changes([kept], rules)[0]


def transformed(rules: CompiledRules, given: Passage) -> Passage | None:
    """What filter, match and transform make of it."""
    found = matched(rules, given)
    return None if found is None else transform_changes([found], rules)[0]
