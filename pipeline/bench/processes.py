"""Relay and workers as real processes, started for a measurement, asked for their peak memory at its end."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pipeline.bench.memory import peak_mebibytes
from pipeline.errors import Failure
from pipeline.processes.children import ChildEnded, Children
from pipeline.topology import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.bench.sizes import Options
    from pipeline.bench.world import World


class Processes:
    """The processes of the pipeline, and the most memory that one of each kind ever held."""

    def __init__(self, world: World, options: Options) -> None:
        self._world = world
        self._kinds = STAGES if options.split else ("worker",)
        self._workers = options.workers
        self._split = options.split
        self.peaks: dict[str, float] = {}  # kind -> MiB
        self.pids: dict[int, str] = {}  # of those that run -> kind

    @property
    def stages(self) -> dict[str, str]:
        """The kinds of workers, with a stage that each takes leases of."""
        return {kind: kind if self._split else STAGES[-1] for kind in self._kinds}

    @contextlib.contextmanager
    def running(self, *, workers: bool = True) -> Iterator[Children]:
        """Relay and workers (or the relay alone), from here to the end of the block.

        Raises Failure, with what it logged last, when one of them ended by itself.
        """
        log_path = self._world.folder / "processes.log"
        with log_path.open("ab") as log, Children(self._world.environment) as children:
            self.pids = {children.start("relay", "relay", log=log): "relay"}
            for kind in self._kinds if workers else ():
                arguments = ("--stages", kind) if self._split else ()
                for number in range(1, self._workers + 1):
                    self.pids[children.start(f"{kind} {number}", "worker", *arguments, log=log)] = kind
            try:
                yield children
            except ChildEnded as ended:
                tail = log_path.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise Failure(f"{ended}:\n{tail}") from ended
            finally:
                self._note_peaks()
                self.pids = {}

    def _note_peaks(self) -> None:
        for pid, kind in self.pids.items():
            peak = peak_mebibytes(pid)
            if peak is not None:
                self.peaks[kind] = max(peak, self.peaks.get(kind, 0.0))
