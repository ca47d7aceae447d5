"""Tables that are altered while rules run: rules that fit them no more pause, and go on once they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.log import get_logger
from pipeline.postgres.queries import load
from pipeline.rules.catalogue import introspect
from stages.altered import altered
from stages.reject import Cause

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import psycopg

    from pipeline.batch import Item
    from pipeline.postgres.holds import KnownHolds
    from stages.rules.compile import CompiledRules

_SUSPECT: Final = ("22", "3F", "42")  # a value that does not fit; no such schema, table, column or cast
log = get_logger()


class RulePaused(Exception):
    """Raised when changes that are released turn out to be of a rule that does not fit its tables."""


class AlteredTables:
    """Compares rules with the catalogue, on one worker's connection and outside its transactions."""

    def __init__(self, connection: psycopg.Connection, holds: KnownHolds) -> None:
        self._connection = connection
        self._holds = holds
        self._queries = load("holds")

    def pause_rejected(self, items: Sequence[Item], rules: CompiledRules) -> bool:
        """Pause the rules whose captured rows lack what they read, if the table does too; whether any was."""
        suspects = {
            reject.rule_id
            for item in items
            if item.passage is not None
            for reject in item.passage.rejects
            if reject.cause is Cause.SCHEMA and reject.rule_id is not None
        }
        return bool(suspects) and self._pause(suspects, rules)

    def pause_refused(self, item: Item, error: psycopg.Error, rules: CompiledRules) -> bool:
        """Pause the rules of a change that Postgres refuses for what a table is by now; whether any was."""
        if not (error.sqlstate or "").startswith(_SUSPECT) or item.passage is None:
            return False
        return self._pause({write.rule for write in item.passage.writes}, rules)

    def resume_mended(self, rules: CompiledRules) -> None:
        """Let rules go on that fit again, by the live rules and the tables as they are now."""
        paused = self._holds.paused_for_tables
        faults = self._faults(paused, rules) if paused else {}
        mended = [rule for rule in paused if rule in rules.by_id and rule not in faults]
        for rule in mended:
            with self._connection.transaction():
                self._connection.execute(self._queries["mended"], {"rule": rule})
                self._holds.raise_epoch()
            log.info("a rule fits again and goes on", action="rule_resumed", rule=rules.by_id[rule].rule.name)
        if mended:
            self._holds.reload()

    def _pause(self, suspects: Collection[int], rules: CompiledRules) -> bool:
        faults = self._faults(suspects, rules)
        for rule, reason in faults.items():
            self._holds.pause(rule, reason, "schema")
            log.error(
                "a table was altered under a rule, which is paused; its changes are held",
                action="rule_paused",
                rule=rules.by_id[rule].rule.name,
                reason=reason,
            )
        if faults:
            self._holds.reload()
        return bool(faults)

    def _faults(self, wanted: Collection[int], rules: CompiledRules) -> dict[int, str]:
        found = [rules.by_id[rule] for rule in wanted if rule in rules.by_id]
        named = [
            (table.name.schema, table.name.name) for rule in found for table in (rule.source, rule.target)
        ]
        tables = introspect(self._connection, named).tables
        return {rule.rule.id: why for rule in found if (why := altered(rule, tables)) is not None}
