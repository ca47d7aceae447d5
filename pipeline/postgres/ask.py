"""What a person asks for a dead letter, and what can come of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stages.reject import Cause

if TYPE_CHECKING:
    from pipeline.carry import Waiting
    from stages.reject import Reject


class Refused(Exception):
    """Raised when a change that is released fails once more."""

    def __init__(self, reject: Reject) -> None:
        super().__init__(reject.message)
        self.reject = reject

    @property
    def parameters(self) -> dict[str, str | None]:
        """What a letter says of it."""
        names = ("cause", "sqlstate", "message", "column_name", "constraint_name")
        return {name: getattr(self.reject, name) for name in names}


class AskedAnew(Exception):
    """Raised when a person has asked for something else since the letter was read."""


class Lease(msgspec.Struct, frozen=True):
    """The right to settle the letters of a partition."""

    partition: int
    term: int


class Ask(msgspec.Struct, frozen=True):
    """What a person wants done with a letter."""

    letter: int
    partition: int
    change_id: int | None
    rule_id: int
    how: str  # retry | skip | edit
    reason: str
    edit: str | None  # JSON: target column -> value
    cause: str = ""

    @property
    def is_mass(self) -> bool:
        """Whether what waits are the deletes of a burst; it has no change of its own."""
        return self.cause == Cause.MASS_DELETE

    @property
    def first(self) -> list[Waiting]:
        """The letter's own change, where it is to be tried again."""
        if self.how == "skip" or self.change_id is None:
            return []
        return [(self.change_id, self.rule_id)]

    @property
    def resolution(self) -> str:
        """What the letter says once it is settled."""
        return f"{self.how}: {self.reason}"
