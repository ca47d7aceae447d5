"""Which records are at rest in all orgs: no edit of them is still on its way to or from Salesforce.

Heroku Connect loses edits by itself where that is not heeded. A poll that was asked before a write went out
puts the old row back until the write's own echo comes; whatever is decided by the row in between (that it
holds the new value already, or that a deleted row has no id yet to be deleted by) stays decided.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: What an edit needs to get to the hub and back from its Salesforce while nothing is slow, in seconds.
USUAL_SECONDS: Final = 4.0
#: How many turns of the loop that looks after the orgs it takes on that way.
_TURNS: Final = 8


class Calm:
    """The records in use, by external id, of all orgs together. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._claimed: dict[str, float] = {}
        self._turn_seconds = 0.0

    def turned(self, seconds: float) -> None:
        """Note how long a turn took; a slow one is forgotten slowly."""
        with self._lock:
            self._turn_seconds = max(seconds, 0.95 * self._turn_seconds)

    def claim(self, ext_id: str) -> bool:
        """Take a record for an edit; False where the last one may not have settled."""
        with self._lock:
            now = self._clock()
            last = self._claimed.get(ext_id)
            if last is not None and now - last < USUAL_SECONDS + _TURNS * self._turn_seconds:
                return False
            self._claimed[ext_id] = now
            return True
