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
from stages.links import Linked, asked_by, linked
from stages.need import Need

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from stages.apply import Plan
    from stages.link import Asked, Noted
    from stages.omit import Omitted
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

Others = dict[LinkName, Link | None]  # than what was asked for


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
        asked = asked_by(passages, rules)
        if not asked.names:
            return Edited(passages)

        def follow(others: Others) -> Linked:
            if asked.settled and not others:
                return Linked(passages, [], renames=False)
            return linked(passages, rules, asked, asked.known(others), omitted())

        found, others = self.lead(asked, follow)

        def remember(plan: Plan) -> None:
            done = {(entry.change_id, entry.rule_id) for entry in plan.ledger}
            self.keep(found.noted, asked.known(others), done)

        return Edited(found.passages, remember) if found.noted else Edited(found.passages)

    def lead(self, asked: Asked, follow: Callable[[Others], Led]) -> tuple[Led, Others]:
        """What `follow` makes of the links, read under the lock that it turns out to need; and the links."""
        with self._connection.transaction() as shared:  # to take it back gives the lock up, its end keeps it
            self._connection.execute(self._queries["share"])
            others = self.read(asked)
            found = follow(others)
            shared.force_rollback = found.renames
        if not found.renames:
            return found, others
        self._connection.execute(self._queries["exclude"])
        others = self.read(asked)
        return follow(others), others

    def read(self, asked: Asked) -> Others:
        """The links that are not as they are asked for: another, or none. It takes no lock."""
        names = list(asked.names)
        rows = [{**_row(name), "n": n, "key": key} for n, (name, key) in enumerate(asked.names.items())]
        return {
            names[n]: None if change_id is None else Link(key, change_id)
            for n, key, change_id in self._execute("known", rows).fetchall()
        }

    def keep(
        self, noted: Iterable[Noted], known: Mapping[LinkName, Link], done: Collection[tuple[int, int]]
    ) -> None:
        """Write what became of the links by the writes that were `done`, as (change, rule).

        Raises SerializationFailure where another worker has linked one of the records meanwhile.
        """
        found = kept(noted, known, done)
        if found.taken:
            self._execute("take", [{**_row(name), "key": key} for name, key in found.taken])
        if found.ended:
            self._execute("end", [_row(name) for name in found.ended])
        if found.links:
            rows = [
                {**_row(name), "key": link.key, "change_id": link.change_id} for name, link, _ in found.links
            ]
            seen = [before for _, _, before in found.links if before is not None]
            if self._execute("keep", rows, seen=seen).rowcount != len(rows):
                raise psycopg.errors.SerializationFailure("another worker linked these records meanwhile")

    def _execute(self, query: str, rows: Sequence[object], **parameters: object) -> psycopg.Cursor[Any]:
        # Never prepared: what is the best plan changes as the table grows from nothing.
        return self._connection.execute(
            self._queries[query],
            {"links": msgspec.json.encode(rows).decode(), **parameters},
            prepare=False,
        )


def _row(name: LinkName) -> dict[str, Any]:
    return {"source": name.source, "target": name.target, "record": name.record}
