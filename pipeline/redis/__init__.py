"""The adapter to Redis: connections, keys, and the partition streams with their fenced steps."""

from __future__ import annotations
