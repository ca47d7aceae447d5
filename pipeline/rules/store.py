"""Rule sets in Postgres: every one ever applied, whole; the highest version is live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace
from psycopg import errors

from pipeline.errors import Failure
from pipeline.postgres.queries import load
from pipeline.rules.stamps import put_stamps_right
from stages.rules.awaited import awaited_tables
from stages.rules.capture import Captured, capture_changes
from stages.rules.model import Rule, RuleSet
from stages.rules.numbering import numbered, same_content

if TYPE_CHECKING:
    import psycopg


def live(connection: psycopg.Connection) -> RuleSet | None:
    """The live rule set, or None before the first `rules apply`."""
    return _decoded(connection.execute(load("rules")["live"]).fetchone())


def live_version(connection: psycopg.Connection) -> int:
    """The live rule set's version; 0 before the first `rules apply`."""
    row = connection.execute(load("rules")["live_version"]).fetchone()
    return int(row[0]) if row else 0


def at(connection: psycopg.Connection, version: int) -> RuleSet | None:
    """The rule set of a version, or None where there never was one."""
    return _decoded(connection.execute(load("rules")["at"], {"version": version}).fetchone())


def captured(connection: psycopg.Connection) -> list[Captured]:
    """The tables that carry capture, or should."""
    rows = connection.execute(load("rules")["captured"])
    return [Captured(schema, table, tuple(identity), here) for schema, table, identity, here in rows]


def as_applied(connection: psycopg.Connection, candidate: RuleSet) -> RuleSet:
    """The candidate with the ids and versions its rules would get now."""
    return numbered(candidate, _latest(connection))


class Note(msgspec.Struct, frozen=True):
    """What is kept with a version: who applied it and why, and the version that it brought back."""

    person: str | None = None
    reason: str | None = None
    restored: int | None = None


NO_NOTE: Final = Note()


def apply(connection: psycopg.Connection, candidate: RuleSet, note: Note = NO_NOTE) -> RuleSet:
    """Make the candidate live, with capture where its enabled rules read: all in one transaction.

    Where it says what the live set says already, that stays; capture is put right all the same. Concurrent
    calls follow one another. Raises Failure when a table's lock cannot be had in time.
    """
    try:
        with connection.transaction():
            connection.execute(load("rules")["lock"])
            rule_set = _record(connection, candidate, note)
            _put_capture_right(connection, rule_set)
            _put_arrivals_right(connection, rule_set)
            put_stamps_right(connection, rule_set)
            return rule_set
    except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise Failure(
            "the rules were not applied: a table to be captured is locked by a long transaction, or another "
            "`rules apply` is at work. Nothing was changed; run it again, or raise ORGSTREAM_LOCK_TIMEOUT."
        ) from error


def _record(connection: psycopg.Connection, candidate: RuleSet, note: Note) -> RuleSet:
    before, latest = live(connection), _latest(connection)
    rule_set = numbered(candidate, latest)
    if before is not None and same_content(before, rule_set):
        return before
    rule_set = replace(rule_set, version=(before.version if before else 0) + 1)
    definition = msgspec.json.encode(rule_set).decode()
    parameters = {
        "version": rule_set.version,
        "definition": definition,
        **msgspec.structs.asdict(note),
    }
    connection.execute(load("rules")["add_rule_set"], parameters)
    known = {rule.name: rule.version for rule in latest}
    for rule in rule_set.rules:
        if known.get(rule.name) != rule.version:
            _add(connection, rule, rule_set.version)
    return rule_set


def _latest(connection: psycopg.Connection) -> list[Rule]:
    rows = connection.execute(load("rules")["latest_rules"])
    return [msgspec.json.decode(text, type=Rule) for (text,) in rows]


def _add(connection: psycopg.Connection, rule: Rule, since: int) -> None:
    connection.execute(
        load("rules")["add_rule"],
        {
            "rule_id": rule.id,
            "version": rule.version,
            "name": rule.name,
            "definition": msgspec.json.encode(rule).decode(),
            "since": since,
        },
    )


def _put_capture_right(connection: psycopg.Connection, rule_set: RuleSet) -> None:
    changes = capture_changes(rule_set, captured(connection))
    for table in changes.remove:
        connection.execute(load("rules")["remove_capture"], {"schema": table.schema, "table": table.table})
    for table in changes.install:
        connection.execute(
            load("rules")["install_capture"],
            {"schema": table.schema, "table": table.table, "identity": list(table.identity)},
        )


def _put_arrivals_right(connection: psycopg.Connection, rule_set: RuleSet) -> None:
    """Have the tables tell of arrivals whose rows changes may wait for, and no others."""
    rows = connection.execute(load("rules")["told_of"]).fetchall()
    present = {(schema, table): (frozenset(map(tuple, keys)), here) for schema, table, keys, here in rows}
    wanted = awaited_tables(rule_set)
    for schema, table in present.keys() - wanted.keys():
        connection.execute(load("rules")["remove_arrivals"], {"schema": schema, "table": table})
    for (schema, table), keys in sorted(wanted.items()):
        if present.get((schema, table)) != (keys, True):
            connection.execute(
                load("rules")["install_arrivals"],
                {"schema": schema, "table": table, "keys": msgspec.json.encode(sorted(keys)).decode()},
            )


def _decoded(row: tuple[str] | None) -> RuleSet | None:
    return None if row is None else msgspec.json.decode(row[0], type=RuleSet)
