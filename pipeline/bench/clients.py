"""Client processes that write at the same time; see `client` for what one does."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Self

import msgspec

from pipeline.bench.client import Order
from pipeline.embedded.process import end_with_parent
from pipeline.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping


class Clients:
    """So many clients, connected and waiting for orders."""

    def __init__(self, environment: Mapping[str, str], count: int) -> None:
        self._environment = dict(environment)
        self._count = count
        self._running: list[subprocess.Popen[str]] = []

    def start(self, seconds: float, *, rate: float = 0.0) -> None:
        """Have them write for so long, `rate` transactions a second each; 0 is as many as they can."""
        order = msgspec.json.encode(Order(seconds, rate)).decode()
        for client in self._running:
            assert client.stdin is not None  # noqa: S101  # it is a pipe
            client.stdin.write(f"{order}\n")
            client.stdin.flush()

    def finish(self) -> int:
        """Wait until they have; how many transactions all of them committed. Raises Failure."""
        return sum(int(self._answer(client)) for client in self._running)

    def __enter__(self) -> Self:
        for number in range(self._count):
            self._running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "pipeline.bench.client", str(number), str(self._count)],
                    env=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    preexec_fn=end_with_parent,  # noqa: PLW1509  # one call
                )
            )
        for client in self._running:
            self._answer(client)
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._running:
            client.terminate()
        for client in self._running:
            client.communicate()

    @staticmethod
    def _answer(client: subprocess.Popen[str]) -> str:
        assert client.stdout is not None  # noqa: S101  # it is a pipe
        line = client.stdout.readline()
        if not line:
            raise Failure(f"a client of the benchmark ended with exit code {client.wait()}")
        return line
