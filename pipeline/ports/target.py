"""Where a worker's run ends, and the rules that it goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.applied import Applied
    from pipeline.batch import Item
    from stages.rules.compile import CompiledRules


class Target(Protocol):
    """Where the run of the stages ends."""

    def apply(
        self,
        items: Sequence[Item],
        rules: CompiledRules,
        terms: Mapping[int, int],
    ) -> Applied:
        """Apply items that one rule set decides, with their ledger, letters, holds and positions.

        `terms` are the leases' by partition. Raises LeaseLost; then nothing was done.
        """
        ...


class Releaser(Protocol):
    """What a person asked for the dead letters."""

    def run(self, terms: dict[int, int], rules: CompiledRules) -> None:
        """Settle it in these partitions. Raises LeaseLost."""
        ...


class Rules(Protocol):
    """The rules, compiled."""

    def current(self) -> CompiledRules:
        """The live ones."""
        ...

    def at(self, version: int) -> CompiledRules:
        """Those of a version. Raises Failure where nobody knows it."""
        ...
