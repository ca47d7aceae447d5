"""A step that stands still at a point, as a suspended process does, while everything else goes on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Suspended:
    """A step in a thread of its own. Only one thread moves at any time, so that nothing is left to chance."""

    def __init__(self, step: Callable[[], bool]) -> None:
        self._step = step
        self._go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self._error: BaseException | None = None
        self.done = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> bool:
        """Run to the point, or to the end; whether it is through. Raises what the step raises."""
        self._thread.start()
        return self._wait()

    def stand_still(self, _: str) -> None:
        """Called in the step, where it is to be suspended."""
        self._stopped.release()
        self._go.acquire()

    def resume(self) -> bool:
        """Let it go on; whether it is through. Raises what the step raises."""
        self._go.release()
        return self._wait()

    def _wait(self) -> bool:
        self._stopped.acquire()
        if self.done:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self.done

    def _run(self) -> None:
        try:
            self._step()
        except BaseException as error:  # noqa: BLE001  # it is raised where the step was begun
            self._error = error
        self.done = True
        self._stopped.release()
