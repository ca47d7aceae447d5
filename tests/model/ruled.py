"""The rules of the model: one table, two targets. One refuses NULL, the other follows a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stages.filter import filter_changes, read_change
from stages.match import match_changes
from stages.rules.compile import compile_rules
from stages.rules.model import Column, Mapping, Rule, RuleSet, Table, TableName
from stages.transform import transform_changes

if TYPE_CHECKING:
    from stages.rules.compile import CompiledRules
    from stages.write import Write
    from tests.fixtures.memory.database import QueuedChange

SOURCE: Final = TableName("emea", "emea", "account")
TARGET: Final = TableName("us", "us", "account")
ACTIVE: Final = TableName("us", "us", "active")
REQUIRED: Final[dict[tuple[str, str], tuple[str, ...]]] = {("us", "account"): ("name",)}
_COLUMNS: Final = (Column("k", "text"), Column("name", "text"), Column("active", "boolean"))


def _rule(number: int, name: str, target: TableName, when: str | None) -> Rule:
    return Rule(
        number, name, 1, SOURCE, target, {"k": "k"}, {"name": Mapping("name")}, when, on_unmatched="delete"
    )


RULES: Final = compile_rules(
    RuleSet(
        1,
        {"emea": "emea", "us": "us"},
        (Table(SOURCE, "plain", _COLUMNS, ("k",)), *(Table(t, "plain", _COLUMNS) for t in (TARGET, ACTIVE))),
        (_rule(1, "accounts", TARGET, None), _rule(2, "active", ACTIVE, "active")),
    )
)


class FixedRules:
    """See `pipeline.ports.Rules`: the same for ever."""

    def current(self) -> CompiledRules:
        return RULES

    def at(self, version: int) -> CompiledRules:
        assert version == RULES.version
        return RULES


def writes_of(change: QueuedChange) -> tuple[Write, ...]:
    """What a change writes under each rule."""
    passages = [read_change(change.document, "change_queue", RULES.version)]
    for stage in (filter_changes, match_changes, transform_changes):
        passages = [passage for passage in stage(passages, RULES) if passage is not None]
    return passages[0].writes if passages else ()
