"""Having a record written again that Salesforce refused, so that Heroku Connect sends it once more.

The row is sent as it stands now: later changes of the record were written, and none of them is taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import psycopg
from psycopg import sql

from pipeline.log import get_logger
from pipeline.postgres.ask import Refused
from pipeline.postgres.faults import Fault, fault_of
from pipeline.postgres.queries import load
from pipeline.postgres.refusal import refusal_of
from stages.reject import Cause, Reject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.postgres.ask import Ask, Lease
    from pipeline.postgres.letters import LetterDesk
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

log = get_logger()


class _Record(NamedTuple):
    schema: str
    table: str
    key: str
    action: str
    columns: Sequence[str]
    entry: int


class Redriver:
    """Settles what a person asked for letters of the cause `delivery`, on one worker's connection."""

    def __init__(self, connection: psycopg.Connection, desk: LetterDesk) -> None:
        self._connection = connection
        self._desk = desk
        self._queries = load("delivery")

    def run(
        self, ask: Ask, lease: Lease, rules: CompiledRules, passages: Callable[[], Sequence[Passage]]
    ) -> None:
        """Have the record written again; the letter stays open until Salesforce accepts it.

        `passages` carries the letter's own change, where the row itself will not do: an edit, or a row that
        is gone. Raises LeaseLost, AskedAnew, psycopg.Error for an outage.
        """
        try:
            self._desk.write_again(lease, ask, lambda: self._again(ask, rules, passages))
        except Refused as refused:
            self._failed(ask, refused)
        except psycopg.Error as error:
            if fault_of(error) is not Fault.DATA:
                raise
            self._failed(ask, Refused(refusal_of(error)))
        else:
            log.info("a refused record is written again", action="delivery_again", id=ask.letter)

    def _failed(self, ask: Ask, refused: Refused) -> None:
        refused.reject = msgspec.structs.replace(refused.reject, cause=Cause.DELIVERY)
        self._desk.failed_again(ask, refused)
        log.warning("a released change failed again", action="release_failed", id=ask.letter)

    def _again(self, ask: Ask, rules: CompiledRules, passages: Callable[[], Sequence[Passage]]) -> None:
        record = self._record(ask)
        if ask.edit is None and record is not None and self._capture(record, ask):
            return
        carried = passages()
        if not any(passage.writes for passage in carried):
            raise Refused(
                Reject(
                    ask.change_id,
                    "" if record is None else f"{record.schema}.{record.table}",
                    Cause.DELIVERY,
                    "its row is gone, and its change is no longer in the queue or writes nothing by the live "
                    "rules: skip it, or write the source record again",
                )
            )
        self._desk.execute(carried, rules)

    def _record(self, ask: Ask) -> _Record | None:
        row = self._connection.execute(self._queries["refused_record"], {"letter": ask.letter}).fetchone()
        return None if row is None else _Record(*row)

    def _capture(self, record: _Record, ask: Ask) -> bool:
        """Have the log capture the row again; False where there is none to be sent."""
        if record.action == "DELETE":
            done = self._execute("requeue", record, entry=record.entry)
            return done.rowcount == 1
        key = msgspec.json.decode(record.key, type=dict[str, str])
        captured = self._execute(
            "capture_again", record, key, columns=list(record.columns), **_numbered(key)
        ).fetchone()
        if captured is None:
            return False
        number, entry = captured
        self._connection.execute(
            self._queries["written_again"],
            {
                "letter": ask.letter,
                "record": number,
                "entry": entry,
                "schema": record.schema,
                "table": record.table,
                "rule": ask.rule_id,
                "change": ask.change_id or 0,
            },
        )
        return True

    def _execute(
        self, query: str, record: _Record, key: dict[str, str] | None = None, **parameters: Any
    ) -> psycopg.Cursor[Any]:
        same = sql.SQL("t.{}::text = {}")
        columns = enumerate(key or {})
        composed = sql.SQL(self._queries[query]).format(
            table=sql.Identifier(record.schema, record.table),
            archive=sql.Identifier(record.schema, "_trigger_log_archive"),
            insert=sql.Identifier(record.schema, "hc_capture_insert_from_row"),
            update=sql.Identifier(record.schema, "hc_capture_update_from_row"),
            same=sql.SQL(" AND ").join(
                same.format(sql.Identifier(name), sql.Placeholder(f"key{number}")) for number, name in columns
            ),
        )
        return self._connection.execute(composed, {"table": record.table, **parameters})


def _numbered(key: dict[str, str]) -> dict[str, str]:
    return {f"key{number}": value for number, value in enumerate(key.values())}
