"""Postgres's own logical replication beside it: the same three backlogs between two databases."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

from pipeline.bench.drains import Drained
from pipeline.bench.watch import Watch
from pipeline.bench.workloads import Workload, workloads
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.bench.report import Figure
    from pipeline.bench.sizes import Sizes
    from pipeline.bench.world import World
    from pipeline.signals import Stop

METHOD: Final = (
    "The same tables and backlogs without capture and without rules, in two databases of the same server. "
    "The subscription is off while the backlog is made. It keeps the order of commits, so the first and the "
    "last record that it brings tell the time. Its commits are asynchronous, as is its default."
)
_SOURCE: Final = "native_source"
_TARGET: Final = "native_target"
_LOOK_SECONDS: Final = 0.005


def measure_native(world: World, sizes: Sizes, stop: Stop, tell: Callable[[str], None]) -> list[Figure]:
    """The drains of native logical replication. Raises psycopg.Error where the server cannot do it."""
    figures: list[Figure] = []
    with _replication(world) as (source, target):
        for workload in workloads(sizes):
            tell(f"native: {workload.count} {workload.name}")
            workload.make(source)
            drained = _drain(target, workload, stop)
            figures += drained.figures("native", workload, "native logical replication")
    return figures


def _drain(target: psycopg.Connection, workload: Workload, stop: Stop) -> Drained:
    def brought(number: int) -> Callable[[], bool]:
        return lambda: _revision(target, number) == workload.revision

    watch = Watch(stop)
    began = time.monotonic()
    target.execute(load("bench")["enable_subscription"])
    try:
        first_at = watch.until("the first change", brought(1), pause=_LOOK_SECONDS)
        last_at = watch.until("the last change", brought(workload.count), pause=_LOOK_SECONDS)
    finally:
        _disable(target, Watch(stop))
    return Drained(workload.count, first_at - began, workload.per_transaction, last_at - began)


def _revision(target: psycopg.Connection, number: int) -> int | None:
    row = target.execute(load("bench")["replicated"], {"number": number}).fetchone()
    return None if row is None else int(row[0])


def _disable(target: psycopg.Connection, watch: Watch) -> None:
    target.execute(load("bench")["disable_subscription"])

    def ended() -> bool:
        row = target.execute(load("bench")["subscription_runs"]).fetchone()
        return row is not None and not row[0]

    watch.until("the subscription to end", ended, pause=_LOOK_SECONDS)


@contextlib.contextmanager
def _replication(world: World) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """Two databases with a subscription, which is off, from one to the other; gone afterwards."""
    queries = load("bench")
    with contextlib.ExitStack() as stack:
        source, target = (stack.enter_context(_database(world, name)) for name in (_SOURCE, _TARGET))
        source.execute(queries["publish"])
        source.execute(queries["create_slot"])
        stack.callback(source.execute, queries["drop_slot"])
        target.execute(queries["subscriber"])
        target.execute(queries["subscribe"], {"source": world.postgres.url_of(_SOURCE)})
        stack.callback(target.execute, queries["unsubscribe"])
        stack.callback(target.execute, queries["release_slot"])
        yield source, target


@contextlib.contextmanager
def _database(world: World, name: str) -> Iterator[psycopg.Connection]:
    """A database with the accounts' table and a connection to it; gone afterwards."""
    identifier = sql.Identifier(name)
    world.connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
    try:
        with contextlib.closing(psycopg.connect(world.postgres.url_of(name), autocommit=True)) as connection:
            connection.execute(load("bench")["unhurried"])
            connection.execute(load("bench")["accounts"])
            yield connection
    finally:
        world.connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))
