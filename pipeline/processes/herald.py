"""The herald of a process: puts its metrics on the board in Redis, every few seconds, beside its work."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Self

import msgspec
import redis

from pipeline.errors import OrgstreamError
from pipeline.log import get_logger
from pipeline.metrics.telling import last_words, rated_of, telling_of
from pipeline.redis.board import Board
from pipeline.redis.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.metrics import Metrics
    from pipeline.metrics.telling import Telling
    from pipeline.process import Process
    from pipeline.settings import Settings

POST_SECONDS: Final = 5.0
HOLDS_SECONDS: Final = 15.0  # of a process that died without a word
_LAST_WORDS_SECONDS: Final = 60.0  # so that each usual scrape still sees what was counted last
_RATE_SECONDS: Final = 60.0
_PATIENCE_SECONDS: Final = 3.0  # with a Redis that does not answer, when the process ends
_log = get_logger()

Counts = dict[str, dict[str, float]]


class Herald:
    """Posts from the moment `begin` is called until the end; while Redis is away it tries again."""

    def __init__(self, settings: Settings, process: Process, metrics: Metrics) -> None:
        self._settings = settings
        self._process = process
        self._metrics = metrics
        self._recent = Recent()
        self._begun = threading.Event()
        self._end = threading.Event()
        self._board: Board | None = None
        self._stack = contextlib.ExitStack()
        self._told_of_failure = False
        self._thread = threading.Thread(target=self._run, name="herald", daemon=True)
        self.name = ""  # on the board; empty before the first post

    def begin(self) -> None:
        """The process has reached its servers: post from now on."""
        self._begun.set()

    def tell(self) -> Telling:
        """What there is to tell now."""
        telling = telling_of(self._process, self._metrics.counted())
        return msgspec.structs.replace(telling, rates=self._recent.rates(rated_of(telling)))

    def _run(self) -> None:
        self._begun.wait()
        while not self._end.is_set():
            began = time.thread_time()
            self._post(self.tell(), HOLDS_SECONDS)
            # With thousands of rules there is much to tell: it takes a fiftieth of a processor, not more.
            cost = time.thread_time() - began
            self._end.wait(min(max(POST_SECONDS, 50 * cost), HOLDS_SECONDS - POST_SECONDS))
        if self.name:
            self._post(last_words(self.tell()), _LAST_WORDS_SECONDS)
        self._stack.close()

    def _post(self, telling: Telling, seconds: float) -> None:
        try:
            if self._board is None:
                self._board = Board(self._stack.enter_context(contextlib.closing(connect(self._settings))))
            self.name = self._board.post(
                telling.id, telling.kind, telling.encode(), name=self.name, seconds=seconds
            )
            self._told_of_failure = False
        except (redis.RedisError, OrgstreamError) as error:
            self._board = None
            self._stack.close()
            if not self._told_of_failure:
                self._told_of_failure = True
                _log.warning("metrics could not be shared", action="metrics_post_failed", error=error)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._begun.set()
        self._thread.join(_PATIENCE_SECONDS)


class Recent:
    """Counts of about the last minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: deque[tuple[float, Counts]] = deque()

    def rates(self, counts: Counts) -> Counts:
        """Per second, since the oldest counts that are not older than a minute; 0 at the first call."""
        now = self._clock()
        while len(self._kept) > 1 and self._kept[0][0] < now - _RATE_SECONDS:
            self._kept.popleft()
        since, before = self._kept[0] if self._kept else (now, counts)
        self._kept.append((now, counts))
        return {name: _rates(sums, before.get(name, {}), now - since) for name, sums in counts.items()}


def _rates(now: Mapping[str, float], before: Mapping[str, float], seconds: float) -> dict[str, float]:
    return {
        key: (value - before.get(key, 0.0)) / seconds if seconds > 0 else 0.0 for key, value in now.items()
    }
