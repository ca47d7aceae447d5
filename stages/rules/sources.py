"""The source side of a rule: what can be captured, and how its records are told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stages.rules import toml
from stages.rules.declared import DeclaredRule
from stages.rules.identity import identity_of
from stages.rules.place import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stages.rules.facts import TableFacts
    from stages.rules.model import TableName


class SourceKey(msgspec.Struct, frozen=True):
    """The source columns that an enabled rule's key reads."""

    rule: DeclaredRule
    columns: frozenset[str]


def check_source(rule: DeclaredRule, source: TableFacts) -> Iterator[Fault]:
    """Faults of a rule's source table."""
    place = rule.source.place if rule.source else rule.place
    if source.kind == "partitioned table":
        # Its row triggers fire under the names of the partitions, which no rule reads.
        message = f"`from`: {source.name} is partitioned, and its changes cannot be captured"
        yield Fault(place, message, rule.label, "write a rule for each of its partitions")
    elif source.kind != "table":
        message = f"`from`: {source.name} is a {source.kind}; only tables can be captured"
        yield Fault(place, message, rule.label, "name the table beneath it")


def check_source_key(rule: DeclaredRule, columns: frozenset[str], source: TableFacts) -> Iterator[Fault]:
    """Faults of what a rule's key reads."""
    place = next(iter(rule.key.values())).place if rule.key else rule.place
    if not columns:
        message = "`key` reads no column of the source: all records would be one"
        yield Fault(place, message, rule.label, "read the column that identifies the record")
    if source.connector == "heroku-connect" and "id" in columns:
        message = "`key` reads `id`, Heroku Connect's own number, which a reload gives anew"
        yield Fault(place, message, rule.label, "use the external id or sfid")


def identify(
    name: TableName, source: TableFacts, keys: list[SourceKey], stated: tuple[str, ...]
) -> tuple[tuple[str, ...], list[Fault]]:
    """The identity of a source table, and a fault where nothing identifies its records."""
    identity = identity_of(source, [key.columns for key in keys], stated)
    if identity or not keys:
        return identity, []
    read = "; ".join(f"{key.rule.label}: {', '.join(sorted(key.columns))}" for key in keys)
    message = f"a table without a key: {name} has no primary key, and its rules' keys disagree ({read})"
    first = keys[0].rule
    place = first.source.place if first.source else first.place
    shared = frozenset.intersection(*(key.columns for key in keys)) or keys[0].columns
    header = f"[orgs.{name.org}.tables.{toml.key(name.name)}]"
    advice = f"settle it: {header} identity = {toml.array(sorted(shared))}"
    return (), [Fault(place, message, first.label, advice)]
