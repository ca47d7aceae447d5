"""Errors for people: each message says what is wrong, where, and what to do about it.

OrgstreamError
├── ConfigurationError: what we were told is wrong; exit code 2, nothing was changed
│   ├── RulesInvalid · MigrationEdited · ServerTooOld · TableWithoutKey · NoSession
└── Failure: what we were told is right, and it did not work; exit code 1
    └── ServerUnreachable · NotMigrated: nothing could even begin; exit code 2
        └── PostgresUnreachable · RedisUnreachable
"""

from __future__ import annotations

from typing import ClassVar, Final

DONE: Final = 0
FAILED: Final = 1
MISUSED: Final = 2


class OrgstreamError(Exception):
    """Raised when Orgstream refuses or fails; the operator is shown the message and no traceback."""

    exit_code: ClassVar[int] = FAILED


class ConfigurationError(OrgstreamError):
    """Raised when a setting, a flag or a file is wrong: the operator corrects what the message names."""

    exit_code: ClassVar[int] = MISUSED


class RulesInvalid(ConfigurationError):
    """Raised when the rules have faults: the operator mends each place that the message lists."""


class MigrationEdited(ConfigurationError):
    """Raised when an applied migration's file changed: the operator restores it and adds a new one."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"migration {name} was edited after it was applied to this database. "
            "Restore the file as it was, and put the change into a new migration."
        )


class ServerTooOld(ConfigurationError):
    """Raised when a server lacks what we need: the operator upgrades it to the version in the message."""


class NoSession(ConfigurationError):
    """Raised behind a pooler in transaction mode: the operator sets DATABASE_URL to the database itself."""


class TableWithoutKey(ConfigurationError):
    """Raised when nothing identifies a table's records: the operator adds a key or names an `identity`."""


class Failure(OrgstreamError):
    """Raised when a command could not do its work: the operator removes the cause and runs it again."""


class ServerUnreachable(Failure):
    """Raised when Postgres or Redis does not answer: the operator checks its URL, network and server."""

    exit_code: ClassVar[int] = MISUSED


class PostgresUnreachable(ServerUnreachable):
    """Raised when it is Postgres that does not answer."""


class RedisUnreachable(ServerUnreachable):
    """Raised when it is Redis that does not answer."""


class NotMigrated(Failure):
    """Raised when the `orgstream` schema is missing or too old: the operator runs `orgstream migrate`."""

    exit_code: ClassVar[int] = MISUSED
