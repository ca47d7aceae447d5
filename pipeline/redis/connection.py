"""Connections to Redis or Valkey: no hidden retry (it could repeat a command), bounded waits, RESP2."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pipeline.errors import ConfigurationError, RedisUnreachable, ServerTooOld

if TYPE_CHECKING:
    from pipeline.settings import Settings

_OLDEST = (7, 0)
_KEEPALIVE = {
    getattr(socket, name): value
    for name, value in {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3}.items()
    if hasattr(socket, name)  # not every system can tell how often
}


def connect(settings: Settings) -> redis.Redis:
    """A client for REDIS_URL. Raises ConfigurationError, RedisUnreachable, ServerTooOld."""
    if not settings.redis_url:
        raise ConfigurationError(
            "REDIS_URL is not set. Set it to a Redis 7.0 or Valkey 7.2 or newer, as in redis://host:6379"
        )
    # A read that blocks is answered within its time; whoever is silent for longer is gone.
    patience = settings.worker_block_seconds + max(1.0, settings.lease_seconds)
    client = open_client(settings.redis_url, timeout=patience, connect_timeout=settings.connect_timeout)
    try:
        version = str(client.info("server")["redis_version"])
    except redis.RedisError as error:
        client.close()
        raise RedisUnreachable(
            f"cannot use Redis at REDIS_URL: {error}. Check the address, the credentials and that it runs."
        ) from error
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        client.close()
        raise ServerTooOld(
            f"the Redis at REDIS_URL is version {version}; Orgstream needs 7.0, or Valkey 7.2."
        )
    return client


def open_client(url: str, *, timeout: float, connect_timeout: float | None = None) -> redis.Redis:
    """A client whose every wait ends after `timeout` seconds, so that no look at its health is needed.

    Keepalives keep the way open through routers that forget a silent connection. Raises ConfigurationError
    for a bad URL.
    """
    options: dict[str, Any] = {}
    if not url.startswith("unix://"):
        options = {"socket_keepalive": True, "socket_keepalive_options": _KEEPALIVE}
    if url.startswith("rediss://"):
        # Heroku's certificate is its own: the wire is encrypted, the peer is not proved.
        options |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    try:
        client = redis.Redis.from_url(
            url,
            protocol=2,
            socket_timeout=timeout,
            socket_connect_timeout=connect_timeout or timeout,
            retry=Retry(NoBackoff(), 0),
            client_name="orgstream",
            **options,
        )
    except ValueError as error:
        raise ConfigurationError(f"REDIS_URL is not a Redis URL: {error}") from None
    client.set_response_callback("XREADGROUP", lambda response, **_: response)
    client.set_response_callback("XAUTOCLAIM", lambda response, **_: response)
    return client
