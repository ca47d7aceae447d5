"""Tests of the capture against real servers."""

from __future__ import annotations
