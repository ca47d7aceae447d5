"""Contests: which rules may meet edits of the target's own, and what is needed to decide between the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from stages.expression import compile_expression, sql_type
from stages.rules.facts import KEPT_BY_CONNECT
from stages.rules.model import Mapping, Policy, Rule, RuleSet, SetColumns, TableName
from stages.stamp import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stages.rules.model import Table

_MODIFIED: Final = "systemmodstamp"


class Stamped(msgspec.Struct, frozen=True):
    """A table of whose records the stamps are kept, by `key`; those of `columns`, by whoever writes them.

    `time` is the column in which Salesforce says when it was edited, where there is one.
    """

    key: tuple[str, ...]
    columns: tuple[str, ...]
    time: str | None = None


class Contest(msgspec.Struct, frozen=True):
    """What a rule goes by where the target may have edits of its own."""

    policy: Policy  # of the record as a whole: where one side deleted it
    policies: dict[str, Policy]  # of each mapped column
    types: dict[str, str]  # of the target's columns
    reads: dict[str, tuple[str, ...]]  # mapped column -> the source columns that its value comes from
    back: frozenset[str]  # target columns that rules lead back to the source; empty where none does
    stamp_key: tuple[str, ...]  # the columns by which the target's stamps are kept; empty: they are not
    bookkeeping: frozenset[str]  # target columns that change by themselves: no edit that outlives a delete
    source_stamped: bool
    source_time: str | None


def is_contested(rule: Rule, rules: Iterable[Rule]) -> bool:
    """Whether a rule can meet another's edits, given all enabled rules, and is to do anything about it.

    A rule whose source always wins asks nothing, and so does one that nobody else's captured edits can meet.
    """
    policies = _policies(rule)
    if policies <= {"source"}:
        return False
    if not policies <= {"source", "newest"}:
        return True
    written = _written(rule)
    return any(
        other.source == rule.target
        or (other.target == rule.target and other.source != rule.source and _written(other) & written)
        for other in rules
    )


def stamped_tables(rule_set: RuleSet) -> dict[TableName, Stamped]:
    """The tables whose stamps the enabled rules need."""
    enabled = _enabled(rule_set)
    tables = {table.name: table for table in rule_set.tables}
    found: dict[TableName, Stamped] = {}
    for rule in sorted(enabled, key=lambda rule: (rule.id, rule.name)):
        if rule.target not in found and "newest" in _policies(rule) and is_contested(rule, enabled):
            found[rule.target] = _stamped(tables[rule.target], tuple(rule.key), enabled)
    return found


def contests(rule_set: RuleSet) -> dict[int, Contest]:
    """What each contested rule goes by, by its id."""
    enabled, stamped = _enabled(rule_set), stamped_tables(rule_set)
    tables = {table.name: table for table in rule_set.tables}
    found = {}
    for rule in enabled:
        if not is_contested(rule, enabled):
            continue
        source, target = tables[rule.source], tables[rule.target]
        back = [one for one in enabled if (one.source, one.target) == (rule.target, rule.source)]
        found[rule.id] = Contest(
            policy=rule.conflict,
            policies={name: mapping.conflict or rule.conflict for name, mapping in rule.map.items()},
            types={column.name: column.type for column in target.columns},
            reads=_reads(rule, source),
            back=frozenset(name for one in back for names in _reads(one, target).values() for name in names),
            stamp_key=stamped[rule.target].key if rule.target in stamped else (),
            bookkeeping=KEPT_BY_CONNECT if target.connector == "heroku-connect" else frozenset(),
            source_stamped=rule.source in stamped,
            source_time=_time(source),
        )
    return found


def read_for(contests: Iterable[Contest | None]) -> dict[str, bool]:
    """The source columns that contests read, and rules perhaps do not; each with its typed value."""
    return {one.source_time: True for one in contests if one is not None and one.source_time is not None}


def standings(rule_set: RuleSet) -> dict[str, Standing]:
    """What settles ties: each table's org, and the highest priority of the rules that lead out of it."""
    found: dict[str, Standing] = {}
    for rule in _enabled(rule_set):
        for name, priority in ((rule.source, rule.priority), (rule.target, None)):
            table = f"{name.schema}.{name.name}"
            known = found.get(table)
            if priority is not None and (known is None or not known.sends or priority > known.priority):
                found[table] = Standing(priority, name.org, sends=True)
            elif known is None:
                found[table] = Standing(0, name.org)
    return found


def _enabled(rule_set: RuleSet) -> list[Rule]:
    return [rule for rule in rule_set.rules if rule.enabled]


def _policies(rule: Rule) -> set[Policy]:
    return {rule.conflict, *(mapping.conflict or rule.conflict for mapping in rule.map.values())}


def _written(rule: Rule) -> set[str]:
    written = set(rule.map)
    for policy in (rule.on_delete, rule.on_unmatched):
        if isinstance(policy, SetColumns):
            written |= set(policy.columns)
    return written


def _stamped(table: Table, key: tuple[str, ...], enabled: Iterable[Rule]) -> Stamped:
    columns: set[str] = set()
    for rule in enabled:
        if rule.target == table.name:
            columns |= _written(rule)
        if rule.source == table.name:
            columns |= {name for names in _reads(rule, table).values() for name in names}
    return Stamped(key, tuple(sorted(columns - set(key))), _time(table))


def _time(table: Table) -> str | None:
    named = any(column.name == _MODIFIED for column in table.columns)
    return _MODIFIED if named and table.connector == "heroku-connect" else None


def _reads(rule: Rule, source: Table) -> dict[str, tuple[str, ...]]:
    types = {column.name: sql_type(column.type) for column in source.columns}
    return {
        name: tuple(
            dict.fromkeys(
                str(column)
                for text in _expressions(mapping)
                for column in compile_expression(text, types).columns
            )
        )
        for name, mapping in rule.map.items()
    }


def _expressions(mapping: Mapping) -> Iterator[str]:
    if mapping.expr is not None:
        yield mapping.expr
    yield from (mapping.where or {}).values()
