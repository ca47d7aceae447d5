"""The pages of `web`: everyone's metrics, those of the whole pipeline, and the status."""

from __future__ import annotations

import contextlib
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec
import psycopg
import redis

from pipeline.errors import OrgstreamError
from pipeline.log import describe, get_logger
from pipeline.metrics.everyone import info_of, together
from pipeline.metrics.looks import look_of
from pipeline.metrics.registry import exposition
from pipeline.metrics.server import metrics_page
from pipeline.observation import observe, read_tellings
from pipeline.redis.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.metrics import Metrics
    from pipeline.metrics.server import Answer, Page
    from pipeline.metrics.telling import Telling
    from pipeline.processes.herald import Herald
    from pipeline.settings import Settings

_JSON: Final = "application/json; charset=utf-8"
_SHARED_SECONDS: Final = 1.0  # all who ask within it get the same answer, so that asking costs little
_log = get_logger()


def pages_of(settings: Settings, metrics: Metrics, herald: Herald) -> Mapping[str, Page]:
    """The pages by their paths."""
    everyone = _Everyone(settings, metrics, herald)
    return {
        "/metrics": _shared(everyone.page),
        "/status.json": _shared(lambda: _status(settings)),
    }


class _Everyone:
    """Everyone's metrics. While Redis is away only our own, and what Postgres knows."""

    def __init__(self, settings: Settings, metrics: Metrics, herald: Herald) -> None:
        self._settings = settings
        self._metrics = metrics
        self._herald = herald
        self._tellings: Mapping[str, Telling] = {}
        metrics.watch(look_of(settings))
        metrics.watch(lambda: info_of(self._tellings))

    def page(self) -> Answer:
        """They, in the text format of Prometheus."""
        ours = self._herald.tell()
        self._tellings = {**self._others(), self._herald.name or "web.1": ours}
        return metrics_page(exposition([*together(self._tellings), *self._metrics.looked_up()]))

    def _others(self) -> Mapping[str, Telling]:
        try:
            with contextlib.closing(connect(self._settings)) as client:
                return read_tellings(client)
        except (redis.RedisError, OrgstreamError) as error:
            _log.warning("metrics of the others could not be read", action="board_unread", error=error)
            return {}


def _status(settings: Settings) -> Answer:
    try:
        return HTTPStatus.OK, _JSON, msgspec.json.encode(observe(settings))
    except (psycopg.Error, OrgstreamError) as error:
        return HTTPStatus.SERVICE_UNAVAILABLE, _JSON, msgspec.json.encode({"error": describe(error)})


def _shared(page: Page, clock: Callable[[], float] = time.monotonic) -> Page:
    lock = threading.Lock()
    made: tuple[float, Answer] | None = None

    def share() -> Answer:
        nonlocal made
        with lock:
            if made is None or clock() - made[0] >= _SHARED_SECONDS:
                answer = page()
                made = clock(), answer
            return made[1]

    return share
