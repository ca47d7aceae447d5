"""A batch that a record spoils is split until that record stands alone; then its letter goes in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from pipeline.postgres.faults import Fault, fault_of
from pipeline.postgres.refusal import alone, halves, refused, unreadable, wants_parent
from stages.need import Need

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.batch import Item
    from pipeline.postgres.altered import AlteredTables
    from pipeline.postgres.fences import Fence
    from stages.rules.compile import CompiledRules


class Attempts:
    """Attempts at the parts of one batch.

    `do` applies items in one transaction, `try_out` one item in a transaction that is taken back; both raise
    psycopg.Error. `hold_on` renews the leases.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Item], Fence], None],
        try_out: Callable[[Item, Fence], object],
        hold_on: Callable[[], None],
        altered: AlteredTables,
    ) -> None:
        self._do = do
        self._try_out = try_out
        self._hold_on = hold_on
        self._altered = altered

    def run(self, items: Sequence[Item], rules: CompiledRules, fence: Fence) -> None:
        """Apply items; those whose data are at fault become letters. Raises psycopg.Error for all else."""
        self._hold_on()
        if self._altered.pause_rejected(items, rules):
            fence.require_heeded()
        try:
            self._do(items, fence)
        except psycopg.Error as error:
            _require_data(error)
            if not fence.needs and wants_parent(error, rules):
                self.run(items, rules, fence._replace(needs=frozenset({Need.PARENTS})))
            elif len(items) > 1:
                for part in halves(items):
                    self.run(part, rules, fence)
            else:
                self._refuse(items[0], error, rules, fence)

    def _refuse(self, item: Item, error: psycopg.Error, rules: CompiledRules, fence: Fence) -> None:
        """Write letters for what Postgres refuses of an item, and the rest of it, in one transaction."""
        refusals, every = self._faults(item, error, fence), dict.fromkeys(alone(item), error)
        if any(self._altered.pause_refused(item, one, rules) for one in (error, *refusals.values())):
            fence.require_heeded()
            return self.run([item], rules, fence)
        for faults in (refusals, every):
            try:
                return self._do([refused(item, faults, rules)], fence)
            except psycopg.Error as another:
                _require_data(another)
                error = another
        # Not even a letter can name it: no change of ours. What it held is kept as text.
        return self._do([unreadable(item, error)], fence)

    def _faults(self, item: Item, error: psycopg.Error, fence: Fence) -> dict[int, psycopg.Error]:
        """Which writes of an item Postgres refuses, by rule: each is tried alone, and taken back."""
        writes = alone(item)
        if len(writes) == 1:
            return dict.fromkeys(writes, error)
        faults: dict[int, psycopg.Error] = {}
        for rule, one in writes.items():
            self._hold_on()
            try:
                self._try_out(one, fence)
            except psycopg.Error as fault:
                _require_data(fault)
                faults[rule] = fault
        return faults


def _require_data(error: psycopg.Error) -> None:
    if fault_of(error) is not Fault.DATA:
        raise error
