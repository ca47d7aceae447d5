"""Tests of the worker against real servers."""

from __future__ import annotations
