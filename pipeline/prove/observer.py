"""The observer: carries what the writers and the witness noted into the history, while they note more."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

import psycopg

from pipeline.errors import ServerUnreachable
from pipeline.proof.verdict import Kind
from pipeline.prove.history import End, History, Seen
from pipeline.prove.journal import JournalReader
from pipeline.prove.world import Away

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.proof.verdict import Finding


class Observed(Protocol):
    """What is observed: the prover's world, or another deployment with the prover's orgs and writers."""

    @property
    def folder(self) -> Path:
        """Where the writers' journal is."""
        ...

    def ask(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a query of sql/queries/prove.sql. Raises Away, psycopg.Error."""
        ...

    def note(self, text: str) -> None:
        """Hear of a finding."""
        ...


class Observer:
    """Looks whenever it is called; a Postgres that is away only makes it wait."""

    def __init__(self, world: Observed) -> None:
        self.history = History()
        self._noted = 0
        self._world = world
        self._journal: JournalReader | None = None
        self._seen: set[int] = set()  # effects that were read, and may not be deleted yet

    @property
    def findings(self) -> list[Finding]:
        """What is wrong so far."""
        return self.history.findings

    def look(self) -> None:
        """Take in what is new."""
        self._take_journal()
        with contextlib.suppress(Away, ServerUnreachable, psycopg.Error):
            self._take_effects()
        self.history.judge()
        self._tell_findings()

    def end(self) -> None:
        """Take in the rest, and compare the ends of all. Raises SourceDisagrees, psycopg.Error."""
        self._take_journal()
        self._take_effects()
        self.history.end(End(*row) for row in self._world.ask("ends"))
        for (key,) in self._world.ask("strangers"):
            self.history.note(Kind.WRONG, key, "stands in the target, and was never in the source")
        self._tell_findings()

    def close(self) -> None:
        """Give the journal back."""
        if self._journal is not None:
            self._journal.close()

    def _tell_findings(self) -> None:
        for finding in self.findings[self._noted :]:
            self._world.note(f"{finding.kind}: {finding.key}: {finding.message}")
        self._noted = len(self.findings)

    def _take_journal(self) -> None:
        if self._journal is None:
            self._journal = JournalReader(self._world.folder / "journal")
        self.history.commit(self._journal.read())

    def _take_effects(self) -> None:
        """They are deleted once they are read; until that has surely happened, they may be read again."""
        rows = [Seen(*row) for row in self._world.ask("effects")]
        self.history.see(row for row in rows if row.id not in self._seen)
        self._seen.update(row.id for row in rows)
        if rows:
            self._world.ask("forget_effects", {"ids": [row.id for row in rows]})
        self._seen.clear()
