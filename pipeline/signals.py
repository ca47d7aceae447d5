"""Ends on request: SIGTERM and SIGINT become a `Stop` that loops ask and wait on.

The first signal asks to drain: finish what is in hand, release, leave. A second Ctrl-C leaves at once, as a
crash would, which loses nothing. A repeated SIGTERM changes nothing: Heroku may send several.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Whether the process was asked to end. It can be waited for together with sockets, by its `fileno`.

    A pipe and not an Event: a handler runs between two instructions of the main thread, which may hold the
    lock of that very Event.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._requested = False

    @property
    def requested(self) -> bool:
        """Whether to stop taking new work."""
        return self._requested

    def request(self) -> None:
        """Ask for the end; waiters wake. Safe in a signal handler and from any thread."""
        self._requested = True
        with contextlib.suppress(BlockingIOError):  # full of earlier requests
            os.write(self._writing, b".")

    def wait(self, seconds: float) -> bool:
        """Sleep until the end is requested, or for `seconds`; whether it is requested."""
        if not self._requested and seconds > 0:
            waiter = select.poll()
            waiter.register(self._reading, select.POLLIN)
            waiter.poll(seconds * 1000)
        return self._requested

    def fileno(self) -> int:
        """Becomes readable, and stays so, when the end is requested."""
        return self._reading

    def close(self) -> None:
        """Release the pipe; nobody may wait any more."""
        os.close(self._reading)
        os.close(self._writing)


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """A Stop that SIGTERM and SIGINT request. In the main thread only; handlers are put back at the end."""
    stop = Stop()

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.request()
        signal.signal(
            signal.SIGINT, signal.SIG_DFL
        )  # the next Ctrl-C ends the process, whatever it waits for

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.close()
