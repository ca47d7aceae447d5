"""Real servers from wheels, for the demo, `up`, benchmarks and tests: started and stopped by us alone."""

from __future__ import annotations

from pipeline.embedded.postgres import EmbeddedPostgres
from pipeline.embedded.process import ServerNotFound, ServerNotStarted
from pipeline.embedded.redis import EmbeddedRedis

__all__ = ["EmbeddedPostgres", "EmbeddedRedis", "ServerNotFound", "ServerNotStarted"]
