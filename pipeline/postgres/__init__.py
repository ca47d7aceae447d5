"""The adapter to Postgres: connections, named queries, migrations."""

from __future__ import annotations
