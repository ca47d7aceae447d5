"""How much is measured, and what of it."""

from __future__ import annotations

from typing import Final

import msgspec

from pipeline.errors import ConfigurationError

PARTS: Final = ("drains", "latency", "takeover", "writer", "native")


class Sizes(msgspec.Struct, frozen=True):
    """Counts of changes, and durations in seconds."""

    bulk: int = 100_000  # inserts, and updates, in transactions of `per_transaction`
    per_transaction: int = 100
    singles: int = 20_000  # updates, each in its own transaction
    latency_seconds: float = 20.0
    writer_seconds: float = 1.5  # of each of the legs with and without capture
    takeovers: int = 10  # kills of each kind
    writer_rounds: int = 12  # many and short: the machine has its moods

    def tenth(self) -> Sizes:
        """A tenth of everything, to try the benchmarks and not to judge by."""
        return Sizes(
            bulk=self.bulk // 10,
            singles=self.singles // 10,
            latency_seconds=self.latency_seconds / 10,
            writer_seconds=self.writer_seconds / 5,
            takeovers=2,
            writer_rounds=4,
        )


class Options(msgspec.Struct, frozen=True):
    """What was asked for on the command line."""

    sizes: Sizes
    parts: tuple[str, ...] = PARTS
    workers: int = 1  # how many ran
    split: bool = False  # the four stages in processes of their own, `workers` of each


def parts_of(only: str | None) -> tuple[str, ...]:
    """The parts named by `--only drains,native`; all by default. Raises ConfigurationError for others."""
    if only is None:
        return PARTS
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in PARTS]
    if unknown or not wanted:
        raise ConfigurationError(
            f"--only {only}: unknown {', '.join(unknown)}; there are {', '.join(PARTS)}."
        )
    return tuple(name for name in PARTS if name in wanted)
