"""What was measured: figures with their units, the numbers aimed at, and where it was measured."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from pipeline.bench.machine import Machine
from pipeline.bench.sizes import Options

Better = Literal["higher", "lower"]


class Aim(msgspec.Struct, frozen=True):
    """A number to reach."""

    value: float
    better: Better

    def reached(self, value: float) -> bool:
        """Whether `value` is as good as the aim."""
        return value >= self.value if self.better == "higher" else value <= self.value


AIMS: Final = {
    "drains.inserts": Aim(40_000, "higher"),
    "drains.updates": Aim(40_000, "higher"),
    "drains.singles": Aim(25_000, "higher"),
    "drains.inserts.processor": Aim(80, "lower"),
    "latency.quiet.p50": Aim(8, "lower"),
    "latency.quiet.p99": Aim(40, "lower"),
    "latency.busy.p50": Aim(8, "lower"),
    "latency.busy.p99": Aim(40, "lower"),
    "takeover.worker.max": Aim(5, "lower"),
    "takeover.relay.max": Aim(5, "lower"),
    "takeover.restart.max": Aim(5, "lower"),
    "writer.share": Aim(80, "higher"),
    "memory.relay": Aim(200, "lower"),
    "memory.worker": Aim(200, "lower"),
}


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One number with its unit, and the aim where there is one."""

    name: str
    value: float
    unit: str
    meaning: str
    aim: float | None = None
    reached: bool | None = None


def figure(name: str, value: float, unit: str, meaning: str) -> Figure:
    """A figure, compared with its aim."""
    aim = AIMS.get(name)
    value = round(value, 1 if unit in {"ms", "%", "MiB", "s", "µs/change"} else 0)
    return Figure(name, value, unit, meaning, aim.value if aim else None, aim.reached(value) if aim else None)


class Report(msgspec.Struct, frozen=True):
    """A whole run."""

    at: str  # when it began, UTC
    seconds: float
    machine: Machine
    options: Options
    method: dict[str, str]
    figures: list[Figure]

    def encode(self) -> str:
        """The run as JSON, made to be read too."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()
