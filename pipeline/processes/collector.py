"""Python's cycle collector in a process that makes and drops a great many objects, none of them in cycles."""

from __future__ import annotations

import gc
from typing import Final

# A batch of some thousand entries makes several objects for each. By default the collector looks through
# them again and again while they are in use, for a quarter of the worker's time and more.
_NEW_OBJECTS: Final = 50_000
_WHOLE_EVERY: Final = 50


class Collector:
    """Collects between batches, when hardly anything is in use; never during one."""

    def __init__(self) -> None:
        gc.freeze()  # nor ever at what is there already: modules, connections
        gc.disable()
        self._rounds = 0

    def close(self) -> None:
        """Leave it to Python again."""
        gc.enable()
        gc.unfreeze()

    def between_batches(self) -> None:
        """Look for cycles where enough objects were made since; now and then through all that lives long."""
        if gc.get_count()[0] < _NEW_OBJECTS:
            return
        self._rounds += 1
        gc.collect(2 if self._rounds % _WHOLE_EVERY == 0 else 0)
