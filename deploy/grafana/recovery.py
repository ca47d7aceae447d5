"""While something is mended: does the backlog fall, are letters settled, has everybody come back?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.panels import Query, board, figure, graph, row
from deploy.grafana.queries import age, now, rate, series, total
from deploy.grafana.shapes import gauges, living, rates
from pipeline.metrics import catalog, standing

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from deploy.grafana.panels import Built


def recovery() -> Dashboard:
    """The dashboard."""
    made = board("recovery", "Orgstream: recovery", "Does it come back, and what is left to be done by hand?")
    made = row(made, "What is left", *_left())
    made = row(made, "Catching up", *_catching_up())
    return row(made, "Dead letters and faults", *_faults())


def _left() -> tuple[Built, ...]:
    return (
        figure(
            "Dead letters",
            "Changes that could not be applied and wait for a person.",
            "short",
            Query(total(standing.DEAD_LETTERS_NOW), "letters"),
            warn=1,
            bad=100,
        ),
        figure(
            "Held changes",
            "Changes that wait, in order: behind a dead letter, for approval, or for a paused rule.",
            "short",
            Query(now(standing.HELD_CHANGES), "changes"),
            warn=1,
            bad=1_000,
        ),
        figure(
            "Held for",
            "How long the first of them has waited.",
            "s",
            Query(age(standing.OLDEST_HELD), "age"),
            warn=600,
            bad=3_600,
        ),
        figure(
            "Waiting for approval",
            "Deletes in a mass, and what came after them for the same records.",
            "short",
            Query(total(standing.SET_ASIDE, matchers=('reason="approval"',)), "changes"),
            warn=1,
            bad=1,
        ),
        figure(
            "Waiting for a record",
            "Changes that refer to a record which is not there yet. They go on by themselves when it comes.",
            "short",
            Query(now(standing.WAITING_CHANGES), "changes"),
            warn=100,
            bad=10_000,
        ),
        figure(
            "Paused rules",
            "Rules that failed for too many records in a row. They wait for `orgstream rules resume`.",
            "none",
            Query(now(standing.PAUSED_RULES), "rules"),
            warn=1,
            bad=1,
        ),
    )


def _catching_up() -> tuple[Built, ...]:
    backlog = now(standing.OUTBOX_PENDING)
    relayed = f"sum by (job) (rate({series(catalog.RELAYED_CHANGES)}[$__rate_interval]))"
    return (
        graph(
            "Backlog",
            "Changes in Postgres that the relay has yet to take.",
            "short",
            Query(backlog, "changes"),
        ),
        graph(
            "Time left at this speed",
            "The backlog through what is relayed per second. Nothing is shown while nothing is relayed.",
            "s",
            Query(f"{backlog} / ({relayed} > 0)", "time left"),
        ),
        graph(
            "Behind",
            "Age of the oldest change on its way, and of the last moment up to which everything took effect.",
            "s",
            Query(age(standing.OUTBOX_OLDEST, standing.OLDEST_PENDING), "oldest change"),
            Query(age(standing.WATERMARK), "everything before took effect"),
        ),
    )


def _faults() -> tuple[Built, ...]:
    return (
        graph(
            "Dead letters, by cause",
            "Open now. The runbook has a section for each cause.",
            "short",
            Query(total(standing.DEAD_LETTERS_NOW, "error"), "{{error}}"),
            stacked=True,
        ),
        rates(
            "Dead letters written",
            "Per second, by cause. Zero means that nothing new is refused.",
            "ops",
            catalog.DEAD_LETTERS,
            "error",
        ),
        graph(
            "Taken over and made anew",
            "Entries taken over from processes that are gone, and partitions whose streams were made anew.",
            "ops",
            Query(rate(catalog.RECLAIMED), "entries taken over"),
            Query(rate(catalog.REBUILT_PARTITIONS), "partitions made anew"),
        ),
        rates(
            "Attempts made again",
            "By what had been away. They end when it is back.",
            "ops",
            catalog.RETRIES,
            "error",
        ),
        gauges(
            "Servers that answer",
            "1 while the server answers, 0 while not.",
            "none",
            standing.SERVER_UP,
            "server",
        ),
        living(),
    )
