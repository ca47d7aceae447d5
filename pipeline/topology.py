"""The way of a change, in order: which stage reads which stream and writes which. Read this first.

    outbox --relay--> changes --filter--> kept --match--> matched --transform--> writes --apply--> target

One worker may run any unbroken run of stages; between the stages of one worker there is no stream.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pipeline.errors import ConfigurationError


class Step(msgspec.Struct, frozen=True):
    """A stage in its place. The consumer group of the stream it reads has the stage's name."""

    stage: str
    reads: str
    writes: str | None  # None: the target database


TOPOLOGY: Final = (
    Step("filter", "changes", "kept"),
    Step("match", "kept", "matched"),
    Step("transform", "matched", "writes"),
    Step("apply", "writes", None),
)
STAGES: Final = tuple(step.stage for step in TOPOLOGY)
STREAMS: Final = tuple(step.reads for step in TOPOLOGY)
RELAY: Final = "relay"


def steps_of(stages: str) -> tuple[Step, ...]:
    """The steps named by `--stages filter,match`. Raises ConfigurationError unless they follow each other."""
    wanted = [name.strip() for name in stages.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in STAGES]
    if unknown or not wanted:
        raise ConfigurationError(
            f"--stages: unknown stage {unknown or stages!r}; there are {', '.join(STAGES)}."
        )
    first = STAGES.index(wanted[0])
    run = TOPOLOGY[first : first + len(wanted)]
    if [step.stage for step in run] != wanted:
        raise ConfigurationError(
            f"--stages {stages}: a worker's stages must follow each other, in the order {','.join(STAGES)}."
        )
    return run
