"""Explaining one change under one rule, in one read-only transaction."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg

from pipeline.errors import ConfigurationError
from pipeline.explain.state import State, state_of
from pipeline.explain.subject import Subject
from pipeline.explain.target import Statement, TargetRow, look, planned
from pipeline.postgres.links import Links
from pipeline.postgres.lookups import look_up
from stages.explain import Steps, explain
from stages.hold import Holds
from stages.links import asked_by, linked
from stages.omit import Omitted
from stages.rules.model import Rule
from stages.rules.suggest import did_you_mean
from stages.rules.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stages.passage import Passage
    from stages.rules.compile import CompiledRules
    from stages.rules.model import RuleSet, Table

_NEWEST: Final = 2**63 - 1


class Explanation(msgspec.Struct, frozen=True):
    """All that can be told of a change under a rule."""

    rule: Rule
    rule_set: int
    subject: Subject
    steps: Steps
    statements: tuple[Statement, ...]
    target: TargetRow | None
    state: State

    @property
    def outcome(self) -> str:
        """What the change is to the rule: a kind, `none`, or the cause of its dead letter."""
        reject, wait = self.steps.outcome.reject, self.steps.outcome.wait
        return reject.cause if reject else "waits" if wait else (self.steps.kind or "none")

    def as_data(self) -> dict[str, Any]:
        """The explanation as plain data, for JSON."""
        steps, change = self.steps, self.subject.change
        return {
            "rule": self.rule.name,
            "version": self.rule.version,
            "rule_set": self.rule_set,
            "from": str(self.rule.source),
            "to": str(self.rule.target),
            "record": {"is": self.subject.said, **msgspec.structs.asdict(change)},
            "filter": {"passes": all(check.passes for check in steps.checks), "checks": steps.checks},
            "match": {"when": steps.when, "outcome": self.outcome},
            "transform": {
                "key": steps.key,
                "columns": steps.columns,
                "write": steps.outcome.write,
                "reject": steps.outcome.reject,
                "wait": None if steps.outcome.wait is None else steps.outcome.wait.message,
            },
            "apply": {"statements": self.statements},
            "target": self.target,
            "state": self.state,
        }


def explain_rule(
    connection: psycopg.Connection,
    rule_set: RuleSet,
    name: str,
    find: Callable[[psycopg.Connection, Table], Subject],
) -> Explanation:
    """Explain what `find` finds in the rule's source table. Writes nothing.

    Raises ConfigurationError for a rule that the set does not have, and what `find` raises.
    """
    rule = _rule(rule_set, name)
    source = next(table for table in rule_set.tables if table.name == rule.source)
    with _only_reading(connection):
        subject = find(connection, source)
        steps = explain(rule_set, rule, subject.change, partial(_look_up, connection))
        trial = Trial(rule_set, rule)
        return Explanation(
            rule,
            rule_set.version,
            subject,
            steps,
            tuple(planned(connection, trial, steps)),
            look(connection, trial, steps),
            state_of(connection, trial.rule, subject.change),
        )


def _look_up(connection: psycopg.Connection, passage: Passage, rules: CompiledRules) -> Passage:
    """The passage with what the database has now: the row of its record, and looked-up values."""
    return look_up(connection, [_led(connection, passage, rules)], rules)[0]


def _led(connection: psycopg.Connection, passage: Passage, rules: CompiledRules) -> Passage:
    asked = asked_by([passage], rules)
    if not asked.names or passage.change is None:
        return passage
    change = passage.change  # a given record has no id yet: it would be the newest
    latest = msgspec.structs.replace(passage, change=msgspec.structs.replace(change, id=change.id or _NEWEST))
    omitted = Omitted(Holds({}), frozenset())
    led = linked([latest], rules, asked, asked.known(Links(connection).read(asked)), omitted).passages[0]
    return msgspec.structs.replace(led, change=change)


@contextmanager
def _only_reading(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction that sees one moment and can write nothing."""
    connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
    try:
        with connection.transaction():
            yield
    finally:
        connection.isolation_level, connection.read_only = None, None


def _rule(rule_set: RuleSet, name: str) -> Rule:
    rules = {rule.name: rule for rule in rule_set.rules}
    if name not in rules:
        advice = did_you_mean(name, rules, limit=20) or "see: orgstream rules export"
        raise ConfigurationError(f"there is no rule {name} ({advice}).")
    return rules[name]
