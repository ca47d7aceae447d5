"""An application that writes a few records in several transactions, which wait for each other's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.fixtures.memory.database import Writer
from tests.model.ruled import SOURCE

if TYPE_CHECKING:
    from tests.fixtures.memory.database import MemoryDatabase, Row

RECORDS: Final = ("a", "b", "c")  # of two partitions
WRITERS: Final = 3


class Source:
    """The table `emea.account`, as committed and as each open transaction sees it."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._writers = [Writer(database) for _ in range(WRITERS)]
        self._views: list[dict[str, Row | None]] = [{} for _ in range(WRITERS)]
        self._committed: dict[str, Row] = {}

    def put(self, writer: int, k: str, name: str | None, active: bool) -> None:
        """Insert a record, or update it; nothing where another transaction holds it."""
        if not self._held_by_another(writer, k):
            before = self._row(writer, k)
            after = {"k": k, "name": name, "active": active}
            if before != after:
                self._capture(writer, before, after)

    def remove(self, writer: int, k: str) -> None:
        """Delete a record, where it is there and nobody else holds it."""
        before = self._row(writer, k)
        if before is not None and not self._held_by_another(writer, k):
            self._capture(writer, before, None)

    def rename(self, writer: int, k: str, new: str) -> None:
        """Change a record's key to one that is free."""
        before = self._row(writer, k)
        if before is None or self._row(writer, new) is not None:
            return
        if not (self._held_by_another(writer, k) or self._held_by_another(writer, new)):
            self._capture(writer, before, before | {"k": new})

    def end(self, writer: int, *, commit: bool) -> None:
        """Commit or roll back."""
        self._writers[writer].end(commit=commit)
        for k, row in self._views[writer].items() if commit else ():
            if row is None:
                self._committed.pop(k, None)
            else:
                self._committed[k] = row
        self._views[writer] = {}

    def _capture(self, writer: int, before: Row | None, after: Row | None) -> None:
        self._writers[writer].write(SOURCE.schema, SOURCE.name, before, after, ("k",))
        for row, seen in ((before, None), (after, after)):
            if row is not None:
                self._views[writer][row["k"]] = seen

    def _row(self, writer: int, k: str) -> dict[str, Any] | None:
        view = self._views[writer]
        return view[k] if k in view else self._committed.get(k)

    def _held_by_another(self, writer: int, k: str) -> bool:
        return any(k in view for number, view in enumerate(self._views) if number != writer)
