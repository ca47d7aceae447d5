"""What a process calls itself: a dyno's name is not unique during a deploy, so each start adds a part."""

from __future__ import annotations

import os
import socket
import uuid
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.settings import Settings


class Process(msgspec.Struct, frozen=True):
    """One start of one process: its row in `orgstream.process`, its consumer name in Redis."""

    id: str
    kind: str
    host: str
    pid: int
    stages: tuple[str, ...] = ()
    metrics_address: str | None = None


def this_process(settings: Settings, kind: str, stages: Sequence[str] = ()) -> Process:
    """Name this process: its dyno or host, and a part that no other start shares."""
    host = settings.dyno or socket.gethostname()
    return Process(f"{host}:{uuid.uuid4().hex[:8]}", kind, host, os.getpid(), tuple(stages))
