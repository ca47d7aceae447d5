"""Links, in the apply transaction: read for the records of a batch, and written where they changed.

Two workers may hold changes of one record, under its old key and its new one, where nobody captured that it
changed. So who finds such a rename waits until no other transaction with linked records is at work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec
import psycopg

from pipeline.postgres.knowledge import Edited
from pipeline.postgres.queries import load
from stages.link import Link, LinkName, kept
from stages.links import linked, names_of
from stages.need import Need

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from stages.apply import Plan
    from stages.link import Noted
    from stages.omit import Omitted
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

Known = dict[LinkName, Link]


class Followed(Protocol):
    """What following the links of a batch led to."""

    @property
    def renames(self) -> bool:
        """Whether rows are to be renamed that others may know by their old keys."""
        ...


Led = TypeVar("Led", bound=Followed)


class Links:
    """See `Knowledge`."""

    need = Need.LINKS

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("links")

    def edit(
        self, passages: Sequence[Passage], rules: CompiledRules, omitted: Callable[[], Omitted]
    ) -> Edited:
        """A lock and a query, twice where rows are to be renamed; up to three more where links change."""
        asked = list(dict.fromkeys(names_of(passages, rules)))
        if not asked:
            return Edited(passages)
        found, known = self.lead(asked, lambda known: linked(passages, rules, known, omitted()))

        def remember(plan: Plan) -> None:
            self.keep(found.noted, known, {(entry.change_id, entry.rule_id) for entry in plan.ledger})

        return Edited(found.passages, remember) if found.noted else Edited(found.passages)

    def lead(self, asked: Sequence[LinkName], follow: Callable[[Known], Led]) -> tuple[Led, Known]:
        """What `follow` makes of the links, read under the lock that it turns out to need; and the links."""
        with self._connection.transaction() as shared:  # to take it back gives the lock up, its end keeps it
            self._connection.execute(self._queries["share"])
            known = self.read(asked)
            found = follow(known)
            shared.force_rollback = found.renames
        if not found.renames:
            return found, known
        self._connection.execute(self._queries["exclude"])
        known = self.read(asked)
        return follow(known), known

    def read(self, asked: Sequence[LinkName]) -> Known:
        """The links that there are of these, without a lock."""
        named = [
            {"n": number, "source_table": name.source, "target_table": name.target, "record": name.record}
            for number, name in enumerate(asked)
        ]
        rows = self._connection.execute(self._queries["known"], {"asked": _encoded(named)}, prepare=True)
        return {asked[number]: Link(key, change_id) for number, key, change_id in rows.fetchall()}

    def keep(
        self, noted: Iterable[Noted], known: Mapping[LinkName, Link], done: Collection[tuple[int, int]]
    ) -> None:
        """Write what became of the links by the writes that were `done`, as (change, rule).

        Raises SerializationFailure where another worker has linked one of the records meanwhile.
        """
        found = kept(noted, known, done)
        if found.taken:
            self._write("take", "taken", [{**_row(name), "key": key} for name, key in found.taken])
        if found.ended:
            self._write("end", "ended", list(map(_row, found.ended)))
        if found.links:
            rows = [{**_row(name), **link._asdict()} for name, link, _ in found.links]
            seen = [before for _, _, before in found.links if before is not None]
            if self._write("keep", "links", rows, seen=seen) != len(rows):
                raise psycopg.errors.SerializationFailure("another worker linked these records meanwhile")

    def _write(self, query: str, name: str, rows: Sequence[object], **parameters: object) -> int:
        return self._connection.execute(
            self._queries[query], {name: _encoded(rows), **parameters}, prepare=True
        ).rowcount


def _row(name: LinkName) -> dict[str, Any]:
    return {"source_table": name.source, "target_table": name.target, "record": name.record}


def _encoded(rows: object) -> str:
    return msgspec.json.encode(rows).decode()
