"""Postgres and Redis at fault: each fault made for real, by a proxy, a session or the server itself."""

from __future__ import annotations
