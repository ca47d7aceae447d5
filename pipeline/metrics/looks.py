"""Metrics looked up when somebody scrapes: the state of the queue, the streams and what is set aside.

The active relay and `web` serve them. Scrape one of the two: both say the same of the whole pipeline.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psycopg
import redis

from pipeline.errors import OrgstreamError
from pipeline.log import get_logger
from pipeline.metrics import standing
from pipeline.metrics.look_postgres import PostgresLook
from pipeline.metrics.look_redis import look_in_redis
from pipeline.metrics.registry import Reading
from pipeline.postgres.connection import connect as connect_postgres
from pipeline.redis.connection import connect as connect_redis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline.metrics.registry import Look
    from pipeline.settings import Settings

_log = get_logger()


def look_of(settings: Settings) -> Look:
    """How the whole pipeline stands, on connections of its own for each look.

    A server that does not answer is told by `orgstream_up`, and its metrics alone are absent.
    """
    in_postgres = PostgresLook(settings)

    def postgres() -> list[Reading]:
        with contextlib.closing(connect_postgres(settings, "metrics")) as connection:
            return list(in_postgres.readings(connection))

    def redis_() -> list[Reading]:
        with contextlib.closing(connect_redis(settings)) as client:
            return list(look_in_redis(client, settings))

    def look() -> Iterable[Reading]:
        return [*_of_server("postgres", postgres), *_of_server("redis", redis_)]

    return look


def _of_server(server: str, look: Callable[[], list[Reading]]) -> list[Reading]:
    try:
        readings = look()
    except (psycopg.Error, redis.RedisError, OrgstreamError) as error:
        _log.warning(
            "metrics could not be looked up", action="metrics_look_failed", server=server, error=error
        )
        return [Reading(standing.SERVER_UP, 0, {"server": server})]
    return [Reading(standing.SERVER_UP, 1, {"server": server}), *readings]
