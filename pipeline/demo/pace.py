"""The pace of the users: a thread for each org's, who edit at a steady rate."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TICK_SECONDS: Final = 0.02


class Pace:
    """Calls all `edits` together `rate` times a second, each as often, between `begin` and `end`.

    Where that is more than they can do, they do what they can.
    """

    def __init__(self, edits: Sequence[Callable[[], None]], *, rate: float) -> None:
        self._rate = rate / len(edits)
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=[edit], daemon=True) for edit in edits]
        self._errors: list[BaseException] = []

    def begin(self) -> None:
        """Let them begin."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let them finish what they do, and do no more."""
        self._end.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def check(self) -> None:
        """Raises what an edit raised."""
        if self._errors:
            raise self._errors[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _run(self, edit: Callable[[], None]) -> None:
        began = time.monotonic()
        done = 0
        try:
            while not self._end.wait(_TICK_SECONDS):
                due = int((time.monotonic() - began) * self._rate)
                while done < due and not self._end.is_set():
                    edit()
                    done += 1
        except BaseException as error:  # noqa: BLE001  # handed over to the thread that checks
            self._errors.append(error)
