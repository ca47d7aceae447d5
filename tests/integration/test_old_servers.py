"""Servers that are too old are refused, with what to do. None is at hand, so a script speaks for it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import MISUSED, ServerTooOld
from pipeline.postgres.connection import connect as connect_postgres
from pipeline.redis.connection import connect as connect_redis
from pipeline.settings import Settings
from pipeline.settings.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def server(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """A server of one connection that answers each packet; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer, contextlib.suppress(OSError):
                while packet := peer.recv(65_536):
                    peer.sendall(answer(packet))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def old_redis(packet: bytes) -> bytes:
    """Redis 6.2, as far as a client asks."""
    if b"INFO" in packet and b"SETINFO" not in packet:
        text = b"# Server\r\nredis_version:6.2.14\r\n"
        return b"$%d\r\n%s\r\n" % (len(text), text)
    return b"+OK\r\n" * packet.count(b"CLIENT")


def old_postgres(packet: bytes) -> bytes:
    """Postgres 14: no encryption, no password, ready."""

    def message(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("!I", len(body) + 4) + body

    if packet[4:8] in (struct.pack("!I", 80877103), struct.pack("!I", 80877104)):  # TLS or GSS, please
        return b"N"
    if packet[:1] == b"X":
        return b""
    parameters = {"server_version": "14.9", "client_encoding": "UTF8", "standard_conforming_strings": "on"}
    told = b"".join(message(b"S", f"{name}\0{value}\0".encode()) for name, value in parameters.items())
    return message(b"R", struct.pack("!I", 0)) + told + message(b"Z", b"I")


def test_redis() -> None:
    with server(old_redis) as port:
        settings = Settings(redis_url=Url(f"redis://127.0.0.1:{port}"))
        with pytest.raises(ServerTooOld, match=r"version 6\.2\.14; Orgstream needs 7\.0") as told:
            connect_redis(settings)
    assert told.value.exit_code == MISUSED


def test_postgres() -> None:
    with server(old_postgres) as port:
        settings = Settings(database_url=Url(f"postgresql://me@127.0.0.1:{port}/db?sslmode=disable"))
        with pytest.raises(ServerTooOld, match="version 14; Orgstream needs 15") as told:
            connect_postgres(settings, "test")
    assert told.value.exit_code == MISUSED
