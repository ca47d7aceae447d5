"""Validation: the files at a path against the database, every fault at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.errors import RulesInvalid
from pipeline.rules.catalogue import introspect
from pipeline.rules.declare import declare
from pipeline.rules.file import read
from stages.rules.check import check
from stages.rules.model import RuleSet
from stages.rules.place import Fault, merged
from stages.rules.tables import named_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import psycopg

    from pipeline.rules.document import Node


class Validation(msgspec.Struct, frozen=True):
    """What became of the files: a rule set that can be planned and applied, if there is no fault.

    `warnings` are what may become dead letters later on.
    """

    candidate: RuleSet
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether the candidate may be used."""
        return not self.faults

    def require(self, what: str = "the rules") -> RuleSet:
        """The candidate. Raises RulesInvalid, with every fault of `what`, where there is one."""
        if self.faults:
            count = len(self.faults)
            listed = "\n".join(f"  {fault}" for fault in self.faults)
            raise RulesInvalid(
                f"{what} have {count} fault{'s' * (count > 1)}; nothing was changed:\n{listed}"
            )
        return self.candidate


def validate(connection: psycopg.Connection, path: Path) -> Validation:
    """Check the rules file, or folder of rules files, at `path`. Changes nothing.

    Raises ConfigurationError where there is no file to check.
    """
    documents, unreadable = read(path)
    return validate_documents(connection, documents, unreadable)


def validate_documents(
    connection: psycopg.Connection, documents: Sequence[Node], unreadable: Sequence[Fault] = ()
) -> Validation:
    """Check documents together; `unreadable` are the faults of those that could not be read."""
    declared, of_form = declare(documents)
    catalogue = introspect(connection, named_tables(declared))
    candidate, of_substance, doubtful = check(declared, catalogue, of_form)
    found = merged([*unreadable, *of_form, *of_substance])
    return Validation(candidate, _sorted(found), _sorted(merged(doubtful)))


def _sorted(found: list[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(found, key=lambda fault: fault.place))
