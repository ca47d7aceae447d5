"""Python's cycle collector in a process that makes and drops a great many objects, none of them in cycles."""

from __future__ import annotations

import gc
from typing import Final

# A batch of some thousand entries makes several objects for each. By default the collector looks through
# them again and again while they are in use, for a sixth to a quarter of the worker's time.
_NEW_OBJECTS: Final = 50_000


def relax_collector() -> None:
    """Have it look rarely, and never at what is there already: modules, rules, connections."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
