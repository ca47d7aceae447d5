"""Our own processes as children of one command: `up`, the demo and the benchmarks run the real ones."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, Self

from pipeline.embedded.process import end_with_parent
from pipeline.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

_STOP_SECONDS: Final = 10.0


class ChildEnded(Failure):
    """Raised when a child ended that should run: its last lines on the screen tell the operator why."""


class Children:
    """Children started in order and stopped in the reverse order; none outlives us."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str, log: IO[bytes] | None = None) -> int:
        """Start `orgstream <arguments>` under a name; its process id. It logs to `log`, or to our stderr."""
        child = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C reaches us, and we choose the order
            preexec_fn=end_with_parent,  # noqa: PLW1509  # one call
        )
        self._running[name] = child
        return child.pid

    def check(self) -> None:
        """Raises ChildEnded when one has ended."""
        for name, child in self._running.items():
            code = child.poll()
            if code is not None:
                raise ChildEnded(f"{name} ended with exit code {code}; what it logged last says why")

    def stop(self, name: str) -> int:
        """Ask one to end, and kill it should it not in time; its exit code."""
        child = self._running.pop(name)
        child.terminate()
        try:
            return child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()

    def stop_all(self) -> None:
        """Ask all to end at once, and wait for the last."""
        for child in self._running.values():
            child.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in reversed(list(self._running.values())):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
            if child.poll() is None:
                child.kill()
                child.wait()
        self._running.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()
