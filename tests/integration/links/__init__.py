"""Tests of links on real servers: a record under another key renames its row."""

from __future__ import annotations
