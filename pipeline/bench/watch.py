"""Waiting for what is measured, with an eye on the processes and on a Ctrl-C."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pipeline.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.processes.children import Children
    from pipeline.signals import Stop

_PATIENCE_SECONDS: Final = 300.0
_CHECK_SECONDS: Final = 0.5


class Interrupted(Exception):
    """Raised when the operator asked to stop: nothing is reported."""


class Watch:
    """Waits until something is so. `children`, where given, have to live meanwhile."""

    def __init__(self, stop: Stop, children: Children | None = None) -> None:
        self._stop = stop
        self._children = children
        self._checked = 0.0

    def until(self, what: str, reached: Callable[[], bool], *, pause: float) -> float:
        """Look every `pause` seconds until `reached()`; the time of the look, by the monotonic clock.

        Raises Interrupted, ChildEnded, and Failure when it takes minutes.
        """
        began = time.monotonic()
        while not reached():
            if self._stop.wait(pause):
                raise Interrupted
            now = time.monotonic()
            if now - began > _PATIENCE_SECONDS:
                raise Failure(f"the benchmark gave up after {_PATIENCE_SECONDS:.0f} s of waiting for {what}")
            if self._children is not None and now - self._checked > _CHECK_SECONDS:
                self._children.check()
                self._checked = now
        return time.monotonic()
