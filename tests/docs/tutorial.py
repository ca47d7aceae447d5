"""Runs a page as a reader would: files are saved, commands run in their order, what they print compared.

Notes after a fence say what a block is to the runner. A name with a dot: save it under that name.
`background`: start it and leave it running. `install`, `servers`, `make`: the tests have done that. `own`,
`up`: only for a reader who goes that way. A `text` block is what the block before it prints; … stands for
anything. `<!-- stop worker -->` ends what runs in the background and has that word.
"""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Final

from tests.docs.pages import blocks, stops
from tests.fixtures.processes import PATIENCE_SECONDS, Running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.docs.pages import Block

_WAYS: Final = frozenset({"own", "up"})
_DONE_BY_THE_TESTS: Final = frozenset({"install", "servers", "make"})
_SERVERS: Final = re.compile(r"(DATABASE_URL|REDIS_URL)=(\S+)")
_SHELL: Final = ("/usr/bin/env", "bash", "-euc")


class Tutorial:
    """One reader who goes one way through a page, in a folder of his own."""

    def __init__(self, page: Path, way: str, folder: Path, environment: dict[str, str]) -> None:
        self._page = page
        self._way = way
        self._folder = folder
        self._environment = environment
        self._running: dict[str, Running] = {}
        self._stack = contextlib.ExitStack()
        self.ran = 0

    def run(self) -> None:
        """From the first block to the last. Fails at the first that does not do what the page says."""
        every = sorted([*blocks(self._page), *stops(self._page)], key=lambda block: block.line)
        mine = [block for block in every if self._is_mine(block)]
        with self._stack:
            for block, following in zip(mine, [*mine[1:], None], strict=True):
                shown = following if following is not None and following.language == "text" else None
                self._do(block, shown)
                self.ran += 1

    def _is_mine(self, block: Block) -> bool:
        notes = set(block.notes)
        return notes & _WAYS <= {self._way} and not notes & _DONE_BY_THE_TESTS

    def _do(self, block: Block, shown: Block | None) -> None:
        names = [note for note in block.notes if "." in note]
        if names:
            (self._folder / names[0]).write_text(block.text, encoding="utf-8")
        elif block.language == "stop":
            self._stop(block.text)
        elif block.language == "sh" and "background" in block.notes:
            self._start(block, shown)
        elif block.language == "sh":
            self._run(block, shown)

    def _run(self, block: Block, shown: Block | None) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            done = subprocess.run(
                [*_SHELL, block.text],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=2 * PATIENCE_SECONDS,
            )
            assert done.returncode == 0, f"{block.place}: exit code {done.returncode}\n{done.stderr}"
            if shown is None or looks_like(done.stdout, shown.text):
                return
            # What only looks is looked at again: the change is on its way.
            again = _only_looks(block) and time.monotonic() < deadline
            assert again, f"{shown.place}: not what was printed:\n{done.stdout}\n{self._logs()}"

    def _start(self, block: Block, shown: Block | None) -> None:
        process = Running([*_SHELL, f"exec {block.text}"], env=self._environment, folder=self._folder)
        self._running[block.text] = self._stack.enter_context(process)
        if shown is None:
            process.await_line("action=started")
        else:
            process.await_line(shown.text.splitlines()[-1].rpartition("…")[2])
            assert looks_like(process.output, shown.text + "…"), f"{shown.place}:\n{process.output}"
            self._environment.update(_SERVERS.findall(process.output))

    def _stop(self, word: str) -> None:
        if self._way == "up":  # the servers run there
            return
        for command in [command for command in self._running if word in command]:
            process = self._running.pop(command)
            assert process.stop(signal.SIGINT) == 0, process.output

    def _logs(self) -> str:
        return "\n".join(process.output for process in self._running.values())


def looks_like(printed: str, shown: str) -> bool:
    """Whether a page shows what was printed. A line of … is any lines; … in a line is any text."""
    lines = [line.rstrip() for line in shown.strip("\n").splitlines()]
    pattern = "".join(
        r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in lines
    )
    plain = "\n".join(line.rstrip() for line in printed.strip("\n").splitlines())
    return re.fullmatch(pattern, plain + "\n") is not None


def _only_looks(block: Block) -> bool:
    return "SELECT" in block.text or block.text.startswith("orgstream status")
