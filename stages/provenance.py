"""Provenance: when and where the values of a write were edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.stamp import ALL, Stamp, of_column, unknown
from stages.write import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stages.change import Change
    from stages.rules.contest import Contest
    from stages.stamp import Ranks
    from stages.write import Write


class Provenance:
    """The stamps of one write: by those that its change left, or else by the time of the change."""

    def __init__(
        self,
        change: Change,
        write: Write,
        contest: Contest,
        stamps: Mapping[str, Stamp] | None,
        ranks: Ranks,
    ) -> None:
        self._table = f"{change.schema}.{change.table}"
        self._edited = Stamp(write.edited, self._table)
        self._reads = contest.reads
        self._stamps = stamps
        self._ranks = ranks
        self.of_record = self._of_record(write)

    def of_column(self, name: str) -> Stamp:
        """The edit that gave a target column its wanted value."""
        read = self._reads.get(name)
        if self._stamps is None:
            return self._edited
        return self.of_record if read is None else self._latest(read)

    def _of_record(self, write: Write) -> Stamp:
        """The edit that the write as a whole stands for."""
        if self._stamps is None:
            return self._edited
        if write.action is Action.UPDATE and write.revives:
            return self._latest(read for name in write.changed for read in self._reads.get(name, ()))
        return self._ranks.latest(self._stamps.values()) or self._edited

    def _latest(self, columns: Iterable[str]) -> Stamp:
        stamps = self._stamps or {}
        known = [stamp for name in columns if (stamp := of_column(stamps, name)) is not None]
        return self._ranks.latest(known) or stamps.get(ALL) or unknown(self._table)
