"""Letters for records that Salesforce refused, and what becomes of them later."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from pipeline.delivery.origin import Origins, Written, key_of, rules_of
from pipeline.redis.keys import partition_of
from stages.delivery import Entry, Followed, Refusal, follow, refused_columns, took_effect
from stages.reject import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

    from pipeline.delivery.log import ConnectLog
    from pipeline.delivery.origin import Origin, Row
    from stages.change import Change
    from stages.rules.compile import CompiledRule, CompiledRules

PAGE: Final = 500
_NONE: Final = b"null"


class Told(NamedTuple):
    """A page of failures that was looked at: how many, and how many of them were refusals."""

    refused: int
    entries: int


NOTHING_TOLD: Final = Told(0, 0)


class Refusals:
    """Writes and settles the letters of one org's refused records."""

    def __init__(self, connection: psycopg.Connection, log: ConnectLog, partitions: int) -> None:
        self._connection = connection
        self._log = log
        self._partitions = partitions

    def tell(self, delivery: int, rules: CompiledRules) -> Told:
        """Write letters for the next failures of a transaction. Raises psycopg.Error."""
        entries = [Entry(*row) for row in self._log.rows("failed", id=delivery, rows=PAGE)]
        written = Written(*self._log.rows("written_by", id=delivery)[0])
        candidates = rules_of(written, self._log.schema, rules)
        refused = self._refused(entries, written, candidates)
        if refused:
            self._write(refused, written, candidates, rules)
        last = max((entry.id for entry in entries), default=0)
        self._log.execute("told", id=delivery, entry=last, refused=len(refused))
        return Told(len(refused), len(entries))

    def _refused(
        self, entries: Sequence[Entry], written: Written, candidates: Sequence[CompiledRule]
    ) -> list[Entry]:
        """The failures that are refusals: not those that met their own record."""
        numbers = [entry.record_id for entry in entries if entry.state == "FAILED"]
        sfids = dict(self._log.rows("sfids", table=written.table, ids=numbers)) if numbers else {}
        identifiers = [rule.key_columns for rule in candidates]
        return [
            entry
            for entry in entries
            if not any(took_effect(entry, key, sfids.get(entry.record_id)) for key in identifiers)
        ]

    def _write(
        self,
        refused: Sequence[Entry],
        written: Written,
        candidates: Sequence[CompiledRule],
        rules: CompiledRules,
    ) -> None:
        """A letter for each record, of the first that was refused of it, where it has none yet."""
        first: dict[int, Entry] = {}
        for entry in refused:
            first.setdefault(entry.record_id, entry)
        wanted = {number: entry.row() for number, entry in first.items()}
        origins = Origins(self._connection, self._log, rules).find(written, wanted, candidates)
        keys = {number: _key(origins.get(number), wanted[number]) for number in first}
        watched = self._log.rows("watched", table=written.table, keys=list(keys.values()))
        known = {key for (key,) in watched}
        letters: dict[str, dict[str, Any]] = {}
        for number, entry in first.items():
            if keys[number] not in known:
                table = f"{self._log.schema}.{written.table}"
                letters[keys[number]] = self._letter(entry, keys[number], origins.get(number), table)
        self._log.execute(
            "write_letters", table=written.table, cause=Cause.DELIVERY, letters=_encoded(letters.values())
        )

    def _letter(self, entry: Entry, key: str, origin: Origin | None, table: str) -> dict[str, Any]:
        rule = None if origin is None else origin.rule.rule
        change = None if origin is None else origin.change
        source = table if rule is None else f"{rule.source.schema}.{rule.source.name}"
        return {
            "change_id": change and change.id,
            "partition": change and self._partition(change),
            "rule_id": rule and rule.id,
            "rule": rule and rule.name,
            "rule_version": rule and rule.version,
            "source_table": source,
            "key": msgspec.Raw(key.encode()) if change is None else change.key,
            "message": entry.fault(),
            "record_id": entry.record_id,
            "sfid": entry.row().get("sfid"),
            "record_key": key,
            "entry": entry.id,
            "action": entry.action,
            "columns": refused_columns(entry),
        }

    def _partition(self, change: Change) -> int:
        key = bytes(change.old_key) if bytes(change.old_key) != _NONE else bytes(change.key)
        return partition_of(f"{change.schema}.{change.table}".encode() + key, self._partitions)

    # Later --------------------------------------------------------------------------------------------

    def follow(self, after: int) -> tuple[int, int]:
        """Look what became of refused records whose letter comes after a number.

        How many are accepted now, and where to go on; 0 at the end. Raises psycopg.Error.
        """
        rows = self._log.rows("followed", after=after, rows=PAGE)
        seen = {letter: _followed(list(of)) for letter, of in groupby(rows, key=itemgetter(0))}
        found = {letter: followed for letter, followed in seen.items() if followed is not None}
        accepted = [letter for letter, followed in found.items() if followed.accepted]
        if accepted:
            self._log.execute("accept", letters=accepted)
        left = [
            {"letter_id": letter, **msgspec.structs.asdict(followed)}
            for letter, followed in found.items()
            if not followed.accepted
        ]
        if left:
            self._log.execute("note_followed", followed=_encoded(left))
            self._log.execute("refused_again", followed=_encoded(left))
        return len(accepted), max(seen) if len(seen) == PAGE else 0


def _followed(rows: Sequence[tuple[Any, ...]]) -> Followed | None:
    _, key, action, columns = rows[0][:4]
    refusal = Refusal(msgspec.json.decode(key, type=dict[str, str | None]), action, tuple(columns))
    return follow(refusal, [Entry(*row[4:]) for row in rows if row[4] is not None])


def _key(origin: Origin | None, row: Row) -> str:
    """The key of a row as JSON; by its number in the table where no rule is known."""
    key: Mapping[str, str | None] = {"id": row.get("id")} if origin is None else key_of(origin.rule, row)
    return msgspec.json.encode(key).decode()


def _encoded(rows: Any) -> str:
    return msgspec.json.encode(list(rows)).decode()
