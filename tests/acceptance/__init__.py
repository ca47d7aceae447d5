"""Tests of real processes, through the command line, against real servers."""

from __future__ import annotations
