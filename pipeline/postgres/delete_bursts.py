"""Bursts in Postgres: found, joined with what was found before, and told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.log import get_logger
from pipeline.postgres.queries import load
from stages.delete_burst import Burst, Span, limit_of, second_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import psycopg

    from pipeline.postgres.delete_counts import Mass
    from pipeline.postgres.holds import KnownHolds
    from stages.change import Change
    from stages.rules.compile import CompiledRule, CompiledRules

log = get_logger()


class DeleteBursts:
    """The bursts that one worker finds, in transactions of its caller's."""

    def __init__(self, connection: psycopg.Connection, holds: KnownHolds) -> None:
        self._connection = connection
        self._holds = holds
        self._queries = load("deletes")

    def letters(
        self,
        seconds: Mapping[int, Iterable[int]],
        masses: Mapping[int, list[Mass]],
        rules: CompiledRules,
        partitions: Mapping[int, int],
    ) -> Callable[[Change, int], int | None]:
        """Which letter a delete waits behind; new letters where deletes are a mass, or part of one refused.

        `partitions` is where the letter of each rule is to be settled. Raises StaleHolds.
        """
        bursts = {rule: [b for b in self._holds.bursts if b.rule == rule] for rule in seconds}
        for rule, of in seconds.items():
            for mass in masses.get(rule, ()):
                if any(mass.span.has(second) for second in of):
                    why = _why(rules.by_id[rule], mass)
                    bursts[rule].append(self._join(rules.by_id[rule], mass.span, why, partitions[rule]))
            for closed in self._late(bursts[rule], of):
                why = "more of a mass delete that was settled already: they wait for approval too"
                bursts[rule].append(self._join(rules.by_id[rule], closed.span, why, partitions[rule]))

        def letter_for(change: Change, rule: int) -> int | None:
            second = second_of(change)
            found = {burst.state: burst.letter for burst in bursts[rule] if burst.span.has(second)}
            return None if "approved" in found else found.get("open")

        return letter_for

    @staticmethod
    def _late(bursts: Iterable[Burst], seconds: Iterable[int]) -> list[Burst]:
        """The bursts, refused or ended, of which something comes all the same."""
        known = list(bursts)
        late = {second: [burst for burst in known if burst.span.has(second)] for second in seconds}
        return list(
            {
                of[-1].letter: of[-1]
                for of in late.values()
                if of and all(burst.state == "closed" for burst in of)
            }.values()
        )

    def _join(self, compiled: CompiledRule, span: Span, why: str, partition: int) -> Burst:
        """The burst of these deletes: one that is there, now longer, or a new one."""
        rule = compiled.rule
        self._connection.execute(self._queries["take_turns"], {"rule": rule.id})
        for burst in self.read():
            if burst.rule == rule.id and burst.state == "open" and burst.span.near(span):
                self._holds.lock({burst.letter})
                whole = Span(min(burst.span.since, span.since), max(burst.span.until, span.until))
                if whole != burst.span:
                    self._connection.execute(
                        self._queries["extend"],
                        {"letter": burst.letter, "since": whole.since, "until": whole.until},
                    )
                    self._holds.raise_epoch()
                return Burst(burst.letter, rule.id, whole, "open")
        return self._open(compiled, span, why, partition)

    def _open(self, compiled: CompiledRule, span: Span, why: str, partition: int) -> Burst:
        rule = compiled.rule
        row = self._connection.execute(
            self._queries["open"],
            {
                "partition": partition,
                "rule_id": rule.id,
                "rule": rule.name,
                "rule_version": rule.version,
                "source_table": f"{rule.source.schema}.{rule.source.name}",
                "message": why,
                "since": span.since,
                "until": span.until,
            },
        ).fetchone()
        self._holds.raise_epoch()
        letter = int(row[0]) if row else 0
        log.error("a mass delete waits for approval", action="deletes_held", rule=rule.name, id=letter)
        return Burst(letter, rule.id, span, "open")

    def read(self) -> list[Burst]:
        """The bursts as they stand in Postgres."""
        return read_bursts(self._connection)


def read_bursts(connection: psycopg.Connection) -> list[Burst]:
    """Every burst of which something may still come, oldest first."""
    rows = connection.execute(load("deletes")["bursts"]).fetchall()
    return [Burst(letter, rule, Span(since, until), state) for letter, rule, since, until, state in rows]


def _why(compiled: CompiledRule, mass: Mass) -> str:
    limit, _ = limit_of(compiled.rule)
    parts = [
        f"{name} = {value}"
        for name, value in (("count", limit.count), ("share", limit.share))
        if value is not None
    ]
    return (
        f"{mass.deletes:,} deletes of {compiled.rule.source}, and more than {mass.most:,} within a minute "
        f"({', '.join(parts)}): they wait. `dead-letters retry` lets them go to {compiled.rule.target}, "
        "`skip` keeps its records"
    )
