"""The versions of the rules: what each changed, when, by whom and why; and going back to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg

from pipeline.errors import ConfigurationError
from pipeline.postgres.queries import load
from pipeline.rules import store
from pipeline.rules.document import parse
from pipeline.rules.export import export
from pipeline.rules.validate import Validation, validate_documents
from stages.rules.difference import Difference, RuleChange, difference
from stages.rules.model import RuleSet

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How long counting the ledger's writes may take, in seconds.
_COUNT_SECONDS: Final = 5.0


class Version(msgspec.Struct, frozen=True):
    """A rule set that was applied, and how it differs from the one before."""

    version: int
    applied_at: str
    role: str  # of the database
    person: str | None
    reason: str | None
    restored: int | None
    difference: Difference

    def as_data(self) -> dict[str, Any]:
        """The version as plain data, for JSON."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__ if name != "difference"}
        return {**fields, **self.difference.as_data()}


class Written(msgspec.Struct, frozen=True):
    """What the ledger holds of one version of a rule."""

    rule_version: int
    writes: int
    first: str
    last: str


def history(connection: psycopg.Connection, *, limit: int, rule: str | None = None) -> list[Version]:
    """The newest versions, newest first; with `rule`, those that changed it, and what they changed of it."""
    parameters = {"limit": None if rule else limit + 1}
    rows = connection.execute(load("rules")["history"], parameters).fetchall()
    rule_sets = [msgspec.json.decode(row[-1], type=RuleSet) for row in rows]
    versions = [
        Version(version, at, role, person, reason, restored, difference(before, rule_set))
        for (version, at, role, person, reason, restored, _), rule_set, before in zip(
            rows, rule_sets, [*rule_sets[1:], None], strict=True
        )
    ]
    if rule is not None:
        versions = [narrowed for version in versions if (narrowed := _of_rule(version, rule))]
    return versions[:limit]


def _of_rule(version: Version, rule: str) -> Version | None:
    changes: Sequence[RuleChange] = [
        change for change in version.difference.rules if change.rule.name == rule
    ]
    return msgspec.structs.replace(version, difference=Difference(tuple(changes))) if changes else None


def written(connection: psycopg.Connection, rule: str) -> list[Written] | None:
    """What the ledger holds of each version of a rule; None where counting takes too long."""
    try:
        with connection.transaction():
            limit = {"timeout": f"{_COUNT_SECONDS * 1000:.0f}ms"}
            connection.execute(load("rules")["limit_statement"], limit)
            rows = connection.execute(load("rules")["written"], {"rule": rule}).fetchall()
    except psycopg.errors.QueryCanceled:
        return None
    return [Written(*row) for row in rows]


def earlier(connection: psycopg.Connection) -> int:
    """The version that `rules rollback` goes back to unless told. Raises ConfigurationError for none."""
    row = connection.execute(load("rules")["earlier"]).fetchone()
    if row is None or row[0] is None or row[0] < 1:
        raise ConfigurationError("there is no earlier rule set to go back to. See: orgstream rules history")
    return int(row[0])


def stored(connection: psycopg.Connection, version: int) -> RuleSet:
    """The rule set of a version. Raises ConfigurationError where there never was one."""
    found = store.at(connection, version)
    if found is None:
        raise ConfigurationError(f"there is no rule set {version}. See: orgstream rules history")
    return found


def revalidated(connection: psycopg.Connection, version: int) -> Validation:
    """The rules of an earlier version, checked against the tables as they are now. Changes nothing.

    Faults name lines of what `rules export --version` writes. Raises ConfigurationError for a version that
    never was.
    """
    text = export(stored(connection, version))
    return validate_documents(connection, [parse(text.encode(), f"rule set {version}")])
