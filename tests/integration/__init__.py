"""Tests of the adapters, against real servers."""

from __future__ import annotations
