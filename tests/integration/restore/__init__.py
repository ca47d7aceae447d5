"""A database that was restored: in another cluster, or to an earlier time."""

from __future__ import annotations
