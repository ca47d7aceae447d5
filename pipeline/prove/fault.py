"""What a fault is: something that is done to the world, and maybe made good after a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from pipeline.prove.world import World


class Cure(NamedTuple):
    """How a fault is made good, and after how many seconds."""

    seconds: float
    work: Callable[[], None]


Strike: TypeAlias = "Callable[[World, random.Random], Cure | None]"
"""Does the harm. Raises NotNow where there is nothing to harm at this moment."""


class NotNow(Exception):
    """Raised when a fault finds nothing to strike."""


class Fault(NamedTuple):
    """One kind of fault. `server` is taken away, or has to be there, for it; empty: it strikes processes."""

    meaning: str
    strike: Strike
    server: str = ""
