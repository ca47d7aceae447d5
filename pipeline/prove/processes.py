"""The processes under proof: killed, suspended, replaced, and started again as a platform does."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from pipeline.processes.children import ChildEnded, Children
from pipeline.topology import RELAY, STAGES

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.prove.options import Options

WORKER: Final = "worker"
_RELAYS: Final = 2
_TAIL_CHARACTERS: Final = 3_000


class Processes:
    """Named `<kind> <number>`; every start has a number and a log of its own."""

    def __init__(self, children: Children, folder: Path, options: Options) -> None:
        self._children = children
        self._folder = folder
        self._arguments: dict[str, tuple[str, ...]] = {RELAY: (RELAY,)}
        stages = STAGES if options.split else (",".join(STAGES),)
        for stages_of_one in stages:
            kind = stages_of_one if options.split else WORKER
            self._arguments[kind] = (WORKER, "--stages", stages_of_one)
        self._wanted = [(kind, _RELAYS if kind == RELAY else options.workers) for kind in self._arguments]
        self._numbers = 0
        self._running: set[str] = set()
        self._leaving: set[str] = set()
        self._suspended: set[str] = set()

    def start_all(self) -> None:
        """Start what is wanted of each kind."""
        for kind, count in self._wanted:
            for _ in range(count):
                self.start(kind)

    def of(self, role: str) -> list[str]:
        """Those that run and are not suspended: relays, or workers of any stages."""
        names = self._running - self._suspended
        return sorted(name for name in names if (kind_of(name) == RELAY) == (role == RELAY))

    def start(self, kind: str) -> None:
        """Start one more of a kind."""
        self._numbers += 1
        name = f"{kind} {self._numbers}"
        with self._log_of(name).open("wb") as log:
            self._children.start(name, *self._arguments[kind], log=log)
        self._running.add(name)

    def kill(self, name: str) -> None:
        """Crash one."""
        self._children.kill(name)
        self._running.remove(name)

    def suspend(self, name: str) -> None:
        """Stop one without its knowing."""
        self._children.send(name, signal.SIGSTOP)
        self._suspended.add(name)

    def resume(self, name: str) -> None:
        """Let a suspended one go on."""
        self._children.send(name, signal.SIGCONT)
        self._suspended.remove(name)

    def replace(self, name: str) -> None:
        """What a deploy does: start a new one, and ask the old one to end."""
        self.start(kind_of(name))
        self._children.send(name, signal.SIGTERM)
        self._running.remove(name)
        self._leaving.add(name)

    def look_after(self, *, servers_up: bool) -> None:
        """Start again what found no server at its start. Raises ChildEnded for any other end of its own."""
        for name, code in self._children.ended().items():
            log = self._log_of(name).read_text(errors="replace")
            left = name in self._leaving and code == 0
            if not left and ("Traceback" in log or "action=started" in log):
                tail = log[-_TAIL_CHARACTERS:].strip()
                raise ChildEnded(f"{name} ended by itself with exit code {code}:\n{tail}")
            if left or servers_up:
                self._children.kill(name)
                if name in self._leaving:
                    self._leaving.remove(name)
                else:
                    self._running.remove(name)
                    self.start(kind_of(name))

    def stop_all(self) -> None:
        """End them all, as SIGTERM does: nothing is written any more."""
        self._children.stop_all()

    def last_words(self) -> str:
        """The last line of the log of each that runs."""
        lines = []
        for name in sorted(self._running):
            text = self._log_of(name).read_text(errors="replace").strip()
            lines.append(f"  {name}: {text.splitlines()[-1] if text else '(nothing)'}")
        return "\n".join(lines)

    def _log_of(self, name: str) -> Path:
        return self._folder / f"{name.replace(' ', '-').replace(',', '-')}.log"


def kind_of(name: str) -> str:
    """`relay`, `worker`, or the stage of a worker of one."""
    return name.rpartition(" ")[0]
