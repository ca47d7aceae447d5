"""A child server's life: started detached from the terminal, watched by connecting, gone when we are."""

from __future__ import annotations

import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.errors import ConfigurationError, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0
_PR_SET_PDEATHSIG: Final = 1


class ServerNotFound(ConfigurationError):
    """Raised when no server program is to be had; the message names the package that brings one."""


class ServerNotStarted(Failure):
    """Raised when a server ended or stayed mute; the message ends with the tail of its log."""


class ServerProcess:
    """One server program with its log file.

    The child has its own session, so a Ctrl-C in the terminal reaches us and we choose the order of the
    stops; on Linux the kernel ends it too should we be killed outright.
    """

    def __init__(
        self, command: Sequence[str], *, log: Path, orphaned: signal.Signals, user: str | None = None
    ) -> None:
        """`orphaned` is the signal that ends it should we be killed: one that the program handles itself,
        for a shell starts what runs in its background with SIGINT and SIGQUIT ignored.
        """
        self._orphaned = orphaned
        self._command = list(command)
        self._log = log
        self._user = user
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id. Raises ServerNotStarted when it does not run."""
        if self._child is None:
            raise ServerNotStarted(f"{self._command[0]} is not running")
        return self._child.pid

    def start(self, answers: Callable[[], bool]) -> None:
        """Start it and wait until `answers()`. Raises ServerNotStarted."""
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,  # never a pipe: the server's own children would keep it open
                stderr=log,
                start_new_session=True,
                preexec_fn=self._die_with_parent,  # noqa: PLW1509  # one call
                **_as_user(self._user),  # type: ignore[call-overload]
            )
        deadline = time.monotonic() + START_SECONDS
        while not answers():
            if self._child.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerNotStarted(f"{self._command[0]} did not start:\n{self._log_tail()}")
            time.sleep(0.01)

    def _die_with_parent(self) -> None:
        end_with_parent(self._orphaned)

    def send(self, number: signal.Signals) -> None:
        """Send `number` to it, where it runs."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)

    def stop(self, number: signal.Signals) -> None:
        """Ask it to end with `number`, and kill it should it not."""
        if self._child is None:
            return
        self.send(signal.SIGCONT)
        self.send(number)
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._child = None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._child is not None:
            self.send(signal.SIGKILL)
            self._child.wait()
            self._child = None

    def _log_tail(self) -> str:
        return self._log.read_text(errors="replace")[-2000:].strip() or "(its log is empty)"


def end_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send this process a signal when its parent is gone (Linux prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def _as_user(user: str | None) -> dict[str, object]:
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def run_as(user: str | None, command: Sequence[str]) -> None:
    """Run a command to its end as `user`. Raises ServerNotStarted with what it printed when it fails."""
    done = subprocess.run(
        list(command),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        **_as_user(user),  # type: ignore[call-overload]
    )
    if done.returncode != 0:
        raise ServerNotStarted(f"{command[0]} failed:\n{(done.stderr or done.stdout).strip()[-2000:]}")


def unprivileged_user() -> str | None:
    """The user a server that refuses root runs as: None where we are not root."""
    return "nobody" if os.geteuid() == 0 else None


def reachable_by_others(path: Path) -> bool:
    """Whether another user can walk to `path`: each existing folder above it lets others through."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.absolute().parents if parent.exists())


def short_folder(purpose: str, key: Path) -> Path:
    """A folder in the temporary directory, always the same one for `key`.

    Socket paths must stay below 104 bytes, which a project's own folder may not.
    """
    name = (
        f"orgstream-{purpose}-{os.geteuid()}-{hashlib.sha256(str(key.absolute()).encode()).hexdigest()[:12]}"
    )
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.stat().st_uid not in (os.geteuid(), pwd.getpwnam("nobody").pw_uid):
        raise ServerNotStarted(f"{folder} belongs to somebody else; remove it or set TMPDIR")
    return folder


def give_to(user: str | None, folder: Path) -> None:
    """Make `folder` (and only it) the property of `user`."""
    if user is not None:
        shutil.chown(folder, user=user)
