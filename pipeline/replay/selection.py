"""Which past changes are meant, and under which of the live rules."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pipeline.errors import ConfigurationError
from pipeline.settings.units import parse_seconds

if TYPE_CHECKING:
    from stages.rules.compile import CompiledRule, CompiledRules


class Selection(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person names; None asks nothing. `table` is org.table, `key` a JSON object."""

    ids: tuple[int, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    rules: tuple[str, ...] = ()
    table: str | None = None
    key: str | None = None
    org: str | None = None  # the target's
    rule_version: int | None = None


def moment(text: str, now: datetime) -> datetime:
    """ISO 8601 (UTC unless it says so), or a span before `now` such as 1h. Raises ConfigurationError."""
    try:
        return now - timedelta(seconds=parse_seconds(text))
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"{text}: say when as ISO 8601, such as 2026-11-23T08:00:00Z, or as a span before now: 1h."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def checked(selection: Selection, *, force: bool) -> Selection:
    """The selection. Raises ConfigurationError where its parts do not go together."""
    if selection.key is not None:
        try:
            msgspec.json.decode(selection.key.encode(), type=dict[str, object])
        except msgspec.DecodeError:
            raise ConfigurationError('--key: it is a JSON object such as {"ext_id": "A1"}.') from None
    if selection.since and selection.until and selection.since >= selection.until:
        raise ConfigurationError("--since is not before --until: that selects nothing.")
    if selection.rule_version is not None and (len(selection.rules) != 1 or not force):
        raise ConfigurationError(
            "--rule-version selects what that version of one rule has applied: give --rule and --force too."
        )
    return selection


def scope(selection: Selection, rules: CompiledRules) -> list[CompiledRule]:
    """The live rules that are meant. Raises ConfigurationError where a name is unknown or none is meant."""
    live = {rule.rule.name: rule for rule in rules.by_id.values()}
    for name in selection.rules:
        if name not in live:
            hint = _near(name, list(live))
            raise ConfigurationError(f"--rule {name}: no such rule is live and enabled.{hint}")
    tables = {str(rule.rule.source) for rule in live.values()}
    if selection.table is not None and selection.table not in tables:
        hint = _near(selection.table, sorted(tables))
        raise ConfigurationError(f"--table {selection.table}: no live rule reads such an org.table.{hint}")
    orgs = {rule.rule.target.org for rule in live.values()}
    if selection.org is not None and selection.org not in orgs:
        raise ConfigurationError(
            f"--org {selection.org}: no live rule writes to it.{_near(selection.org, sorted(orgs))}"
        )
    meant = [
        rule
        for name, rule in live.items()
        if (not selection.rules or name in selection.rules)
        and selection.table in (None, str(rule.rule.source))
        and selection.org in (None, rule.rule.target.org)
    ]
    if not meant:
        raise ConfigurationError("no live rule fits --rule, --table and --org together.")
    return meant


def _near(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {near[0]}?" if near else f" There are {', '.join(names)}."
