"""Connections to Redis or Valkey: no hidden retry (it could repeat a command), bounded waits, RESP2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pipeline.errors import ConfigurationError, ServerTooOld, ServerUnreachable

if TYPE_CHECKING:
    from pipeline.settings import Settings

_OLDEST = (7, 0)


def connect(settings: Settings) -> redis.Redis:
    """A client for REDIS_URL. Raises ConfigurationError, ServerUnreachable, ServerTooOld."""
    if not settings.redis_url:
        raise ConfigurationError(
            "REDIS_URL is not set. Set it to a Redis 7.0 or Valkey 7.2 or newer, as in redis://host:6379"
        )
    client = open_client(settings.redis_url, timeout=settings.worker_block_seconds + settings.connect_timeout)
    try:
        version = str(client.info("server")["redis_version"])
    except redis.RedisError as error:
        raise ServerUnreachable(
            f"cannot use Redis at REDIS_URL: {error}. Check the address, the credentials and that it runs."
        ) from error
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        client.close()
        raise ServerTooOld(
            f"the Redis at REDIS_URL is version {version}; Orgstream needs 7.0, or Valkey 7.2."
        )
    return client


def open_client(url: str, *, timeout: float) -> redis.Redis:
    """A client whose every wait ends after `timeout` seconds. Raises ConfigurationError for a bad URL."""
    options: dict[str, Any] = {} if url.startswith("unix://") else {"socket_keepalive": True}
    if url.startswith("rediss://"):
        # Heroku's certificate is its own: the wire is encrypted, the peer is not proved.
        options |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    try:
        client = redis.Redis.from_url(
            url,
            protocol=2,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            client_name="orgstream",
            **options,
        )
    except ValueError as error:
        raise ConfigurationError(f"REDIS_URL is not a Redis URL: {error}") from None
    client.set_response_callback("XREADGROUP", lambda response, **_: response)
    client.set_response_callback("XAUTOCLAIM", lambda response, **_: response)
    return client
