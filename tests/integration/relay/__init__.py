"""Tests of the relay against real servers."""

from __future__ import annotations
