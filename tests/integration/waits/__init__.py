"""Tests of lookups, references and waits against real servers."""

from __future__ import annotations
