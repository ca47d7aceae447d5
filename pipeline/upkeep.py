"""All that the active relay keeps up, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.ports import Upkeep


class Upkeeps:
    """Several as one; see `pipeline.ports.Upkeep`."""

    def __init__(self, *each: Upkeep) -> None:
        self._each = each

    def run(self, term: int, position: int) -> bool:
        """Run each; whether a tick without changes would help any of them on."""
        wanted = [upkeep.run(term, position) for upkeep in self._each]
        return any(wanted)
