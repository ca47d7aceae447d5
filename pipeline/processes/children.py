"""Our own processes as children of one command: `up`, demo, prover and benchmarks run the real ones."""

from __future__ import annotations

import contextlib
import functools
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, Self

from pipeline.embedded.process import end_with_parent
from pipeline.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO

COMMAND: Final = (sys.executable, "-m", "pipeline")
_STOP_SECONDS: Final = 10.0


class ChildEnded(Failure):
    """Raised when a child ended that should run: its last lines on the screen tell the operator why."""


class Children:
    """Children started in order and stopped in the reverse order; none outlives us."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        command: Sequence[str] = COMMAND,
        orphaned: signal.Signals = signal.SIGTERM,
    ) -> None:
        """`command` is what runs `orgstream`; `orphaned` ends a child should we be killed."""
        self._environment = dict(environment)
        self._command = list(command)
        self._orphaned = orphaned
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str, log: IO[bytes] | None = None) -> int:
        """Start `orgstream <arguments>` under a name; its process id. It logs to `log`, or to our stderr."""
        child = subprocess.Popen(
            [*self._command, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C reaches us, and we choose the order
            preexec_fn=functools.partial(end_with_parent, self._orphaned),  # noqa: PLW1509  # one call
        )
        self._running[name] = child
        return child.pid

    def check(self) -> None:
        """Raises ChildEnded when one has ended."""
        for name, code in self.ended().items():
            raise ChildEnded(f"{name} ended with exit code {code}; what it logged last says why")

    def ended(self) -> dict[str, int]:
        """The exit codes of those that have ended, by name."""
        codes = {name: child.poll() for name, child in self._running.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def send(self, name: str, number: signal.Signals) -> None:
        """Send one a signal, where it runs."""
        self._running[name].send_signal(number)

    def stop(self, name: str) -> int:
        """Ask one to end, and kill it should it not in time; its exit code."""
        child = self._running.pop(name)
        child.terminate()
        try:
            return child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()

    def kill(self, name: str) -> None:
        """End one at once, as a crash would; forget one that has ended."""
        child = self._running.pop(name)
        child.kill()
        child.wait()

    def stop_all(self) -> None:
        """Ask all to end at once, also those that are suspended, and wait for the last."""
        for child in self._running.values():
            child.terminate()
            child.send_signal(signal.SIGCONT)
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
