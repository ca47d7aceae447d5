"""Writing dead letters, in the transaction that would have applied their changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

    from pipeline.postgres.holds import Letters
    from stages.reject import Reject


def write_letters(
    connection: psycopg.Connection, rejects: Sequence[Reject], partitions: Mapping[int, int]
) -> Letters:
    """Write the letters; their numbers by change and rule. `partitions` are the changes'."""
    if not rejects:
        return {}
    different = {(r.change_id, r.rule, r.payload): r for r in rejects}
    rows = [
        {
            **msgspec.structs.asdict(reject),
            "source_table": reject.table,
            "partition": None if reject.change_id is None else partitions[reject.change_id],
        }
        for reject in different.values()
    ]
    encoded = msgspec.json.encode(rows).decode()
    written = connection.execute(load("apply")["write_letters"], {"letters": encoded}).fetchall()
    return {(change, rule): letter for letter, change, rule in written}
