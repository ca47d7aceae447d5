"""The pace of the users: a thread that has them edit, in turn, at a steady rate."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Self

from pipeline.demo.chance import chance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TICK_SECONDS: Final = 0.02


class Pace:
    """Calls one of `edits` so many times a second, between `begin` and `end`."""

    def __init__(self, edits: Sequence[Callable[[], None]], *, rate: float, seed: int) -> None:
        self._edits = edits
        self._rate = rate
        self._rng = chance(seed, "pace")
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="users", daemon=True)
        self._error: BaseException | None = None

    def begin(self) -> None:
        """Let them begin."""
        self._thread.start()

    def end(self) -> None:
        """Let them finish what they do, and do no more."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()

    def check(self) -> None:
        """Raises what an edit raised."""
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _run(self) -> None:
        began = time.monotonic()
        done = 0
        try:
            while not self._end.wait(_TICK_SECONDS):
                due = int((time.monotonic() - began) * self._rate)
                while done < due and not self._end.is_set():
                    self._rng.choice(self._edits)()
                    done += 1
        except BaseException as error:  # noqa: BLE001  # handed over to the thread that checks
            self._error = error
