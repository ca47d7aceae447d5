"""The watch over deliveries: the active relay looks now and then what became of our writes in Salesforce."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

import psycopg

from pipeline.delivery.log import ConnectLog
from pipeline.delivery.refusals import NOTHING_TOLD, PAGE, Refusals
from pipeline.log import get_logger
from pipeline.metrics import catalog
from pipeline.ports import Fenced
from pipeline.postgres.queries import load
from pipeline.rules import store
from stages.rules.compile import compile_rules
from stages.rules.model import RuleSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.metrics import Metrics
    from stages.rules.compile import CompiledRules

_GLANCE: Final = 1.0  # seconds between two looks while something is outstanding
_IDLE: Final = 5.0  # while nothing is
_REST: Final = 60.0  # after a log could not be read
_FORGET: Final = 60.0
_ROWS: Final = 200  # transactions looked at in one piece
_ENTRIES: Final = 5_000  # entries of the log counted in one piece
_LIMITS: Final = {"lock_timeout": "100ms", "statement_timeout": "2s"}  # changes wait behind the watch
_FORGOTTEN: Final = 5_000
log = get_logger()


class DeliveryWatch:
    """The watch of one relay, on its connection; `retention` in seconds is that of settled deliveries."""

    def __init__(
        self,
        connection: psycopg.Connection,
        retention: float,
        partitions: int,
        *,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._queries = load("delivery")
        self._retention = retention
        self._partitions = partitions
        self._metrics = metrics
        self._clock = clock
        self._orgs: dict[str, _Org] = {}
        self._rules: CompiledRules | None = None
        self._next = -math.inf
        self._forget_at = -math.inf

    def run(self, term: int, position: int) -> bool:
        """See `Upkeep`. Raises psycopg.Error for an outage, Fenced."""
        del position
        now = self._clock()
        if now >= self._next:
            schemas = [schema for (schema,) in self._connection.execute(self._queries["orgs"]).fetchall()]
            busy = sum(self._look(schema, term, now) for schema in schemas)
            self._next = now + (0 if busy else _GLANCE if schemas else _IDLE)
        if now >= self._forget_at:
            done = {"retention": self._retention, "rows": _FORGOTTEN}
            full = self._connection.execute(self._queries["forget"], done).rowcount == _FORGOTTEN
            self._forget_at = now + (_GLANCE if full else _FORGET)
        return False

    def _look(self, schema: str, term: int, now: float) -> bool:
        """Look at one org; whether there is more to do at once. A log that fails lets the others be."""
        org = self._orgs.setdefault(schema, _Org(self._connection, schema, self._partitions))
        if now < org.resting:
            return False
        try:
            if org.log.is_readable():
                return self._step(org, term)
            org.resting = now + _REST
        except psycopg.Error as error:
            if self._connection.closed:
                raise
            org.resting = now + _REST
            log.warning(
                "a trigger log of Heroku Connect could not be read",
                action="delivery_unread",
                schema=schema,
                error=error,
            )
        return False

    def _step(self, org: _Org, term: int) -> bool:
        rules = self._live_rules()
        with self._connection.transaction():
            if self._connection.execute(self._queries["fence"], {"term": term}).rowcount == 0:
                raise Fenced("a later relay has taken over")
            self._connection.execute(self._queries["limit_waits"], _LIMITS)
            accepted, refused, more = org.step(rules)
        name = rules.org_of.get(org.log.schema, org.log.schema)
        for outcome, count in (("accepted", accepted), ("refused", refused)):
            self._metrics.add(catalog.DELIVERIES, count, org=name, outcome=outcome)
        if refused:
            log.warning("Salesforce refused records", action="delivery_refused", org=name, records=refused)
        return more

    def _live_rules(self) -> CompiledRules:
        version = store.live_version(self._connection)
        if self._rules is None or self._rules.version != version:
            self._rules = compile_rules(store.live(self._connection) or RuleSet(0, {}, (), ()))
        return self._rules


class _Org:
    """How far one org's log was looked at; nothing is lost should the relay die."""

    def __init__(self, connection: psycopg.Connection, schema: str, partitions: int) -> None:
        self.log = ConnectLog(connection, schema)
        self.resting = -math.inf
        self._refusals = Refusals(connection, self.log, partitions)
        self._begin = 0  # those up to this entry have ended, and not all of their entries are to be found
        self._after = 0  # pending transactions up to this entry were looked at, each by itself
        self._beyond = 0  # where to go on where nothing could be settled; 0: from the beginning
        self._letter = 0  # refused records up to this letter were

    def step(self, rules: CompiledRules) -> tuple[int, int, bool]:
        """One piece of work: how many entries were accepted and refused, and whether there is more."""
        self.log.execute("unwatch")
        _, self._letter = self._refusals.follow(self._letter)
        ids, more = self._ended()
        accepted = refused = 0
        settled: list[tuple[int, str, int]] = []
        for id_, missing, failed, told_before, old in self.log.rows("tally", ids=ids) if ids else []:
            if missing and not old:
                continue  # between log and archive, or in neither for a reason of Heroku Connect's
            told = self._refusals.tell(id_, rules) if failed else NOTHING_TOLD
            refused += told.refused
            if told.entries == PAGE:
                more = True
                break
            state = "refused" if told_before + told.refused else "unknown" if missing else "accepted"
            settled.append((id_, state, missing))
        accepted = self._settle(settled)
        if not settled and not refused:  # what is missing holds up nobody behind it
            self._begin = self._beyond
        return accepted, refused, more and bool(settled or refused)

    def _ended(self) -> tuple[list[int], bool]:
        """Transactions that Heroku Connect is done with, as many as one piece may count."""
        rows = self.log.rows("ended", begin=self._begin, after=self._after, rows=_ROWS)
        in_order = [last for _, last, _, ordered, _ in rows if ordered]
        self._beyond = max(in_order) if len(in_order) == _ROWS else 0
        looked_at = [last for _, last, _, ordered, _ in rows if not ordered]
        self._after = max(looked_at) if len(looked_at) == _ROWS else 0
        ids: list[int] = []
        entries = 0
        for id_, _, count, _, done in rows:
            if done and (not ids or entries + count <= _ENTRIES):
                ids.append(id_)
                entries += count
        return ids, len(ids) < sum(done for *_, done in rows) or len(ids) >= _ROWS

    def _settle(self, settled: Sequence[tuple[int, str, int]]) -> int:
        if not settled:
            return 0
        ids, states, missing = map(list, zip(*settled, strict=True))
        rows = self.log.rows("settle", ids=ids, states=states, missing=missing)
        return sum(accepted for (accepted,) in rows)
