"""Every setting of Orgstream: its default, unit, bounds and meaning. Nothing else knows a default."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

import msgspec

from pipeline.errors import ConfigurationError
from pipeline.settings.declared import about, declared_by
from pipeline.settings.read import read
from pipeline.settings.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY: Final = 86_400.0
HOUR: Final = 3_600.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a process was told. Durations are in seconds, sizes in bytes."""

    database_url: Annotated[
        Url | None,
        about(
            "The Postgres database of the org tables and of Orgstream's own schema.",
            variables=("DATABASE_URL",),
            schemes=("postgres", "postgresql"),
        ),
    ] = None
    redis_url: Annotated[
        Url | None,
        about(
            "The Redis or Valkey that holds the streams; the TLS one is preferred where both are set.",
            variables=("REDIS_TLS_URL", "REDIS_URL"),
            schemes=("redis", "rediss", "unix"),
        ),
    ] = None
    port: Annotated[
        int,
        about(
            "The port that `web` listens on; with 0 ORGSTREAM_METRICS_PORT says it.",
            "port",
            least=0,
            most=65_535,
            variables=("PORT",),
        ),
    ] = 0
    dyno: Annotated[
        str, about("The name of this process to others; the host's name where empty.", variables=("DYNO",))
    ] = ""
    rules: Annotated[Path, about("The rules file, or a folder of them.")] = Path("orgstream.toml")

    partitions: Annotated[
        int,
        about("Parts that records are spread over; as many workers can share a stage.", least=1, most=256),
    ] = 16
    lease_seconds: Annotated[
        float, about("How long a silent worker keeps its partitions.", "seconds", least=0.1)
    ] = 5.0
    stream_max_entries: Annotated[
        int,
        about(
            "Published and unacknowledged changes at which the relay stops, all partitions.",
            "entries",
            least=1,
        ),
    ] = 100_000
    stream_max_bytes: Annotated[
        int, about("Memory of all streams in Redis at which the relay stops.", "bytes", least=2**20)
    ] = 64 * 2**20
    retention: Annotated[
        float,
        about(
            "How long changes, their ledger and settled dead letters are kept after they took effect.",
            "seconds",
            least=1,
        ),
    ] = 7 * DAY

    relay_batch: Annotated[int, about("Changes that the relay reads at a time.", "changes", least=1)] = 5_000
    relay_poll_seconds: Annotated[
        float, about("How often a sleeping relay looks without being notified.", "seconds", least=0.001)
    ] = 0.5
    relay_idle_seconds: Annotated[
        float, about("How long the relay stays awake after the last change.", "seconds", least=0)
    ] = 0.02

    worker_batch: Annotated[int, about("Entries in a worker's batch, at most.", "entries", least=1)] = 2_000
    worker_block_seconds: Annotated[
        float, about("How long a worker waits in one read of an empty stream.", "seconds", least=0.001)
    ] = 1.0
    breaker_letters: Annotated[
        int,
        about(
            "Records that a rule fails for in a row, without a success, before it is paused.",
            "records",
            least=1,
        ),
    ] = 100
    echo_timeout: Annotated[
        float,
        about("How long a written value may take to come back from Salesforce.", "seconds", least=0),
    ] = 2 * HOUR
    echo_rounds: Annotated[
        int,
        about(
            "How often in a row two rules may rewrite each other's value of a record before it is set aside.",
            "rounds",
            least=1,
        ),
    ] = 20
    wait_timeout: Annotated[
        float, about("How long a change waits for the record that it refers to.", "seconds", least=0)
    ] = DAY

    statement_timeout: Annotated[
        float, about("How long one statement may take in Postgres.", "seconds", least=0.001)
    ] = 60.0
    lock_timeout: Annotated[
        float, about("How long one statement may wait for a lock in Postgres.", "seconds", least=0.001)
    ] = 10.0
    connect_timeout: Annotated[
        float, about("How long a connection to Postgres or Redis may take to open.", "seconds", least=1)
    ] = 10.0

    log_format: Annotated[Literal["logfmt", "json"], about("How log lines are written.")] = "logfmt"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], about("The least important log lines to write.")
    ] = "info"
    metrics_host: Annotated[
        str, about("The address that serves /metrics, /healthz and /readyz; `web` too.")
    ] = "127.0.0.1"
    metrics_port: Annotated[
        int,
        about(
            "The port that serves them; 0 takes the first free one from 9464.", "port", least=0, most=65_535
        ),
    ] = 0

    @classmethod
    def load(cls, environ: Mapping[str, str], flags: Mapping[str, str]) -> Self:
        """The settings of an environment and of flags (by setting name), which win.

        Raises ConfigurationError that names every bad value and every unknown ORGSTREAM_ variable.
        """
        values, faults = read(declared_by(cls), environ, flags)
        if faults:
            raise ConfigurationError("\n".join(faults))
        return cls(**values)

    def require_database_url(self) -> Url:
        """The Postgres URL. Raises ConfigurationError where none is set."""
        if self.database_url is None:
            raise _unset("DATABASE_URL", "--database-url", "postgresql://user:password@host:5432/database")
        return self.database_url

    def require_redis_url(self) -> Url:
        """The Redis URL. Raises ConfigurationError where none is set."""
        if self.redis_url is None:
            raise _unset("REDIS_URL", "--redis-url", "redis://host:6379")
        return self.redis_url


def _unset(variable: str, flag: str, example: str) -> ConfigurationError:
    return ConfigurationError(f"{variable} is not set. Set it, or {flag}, to a URL such as {example}")
