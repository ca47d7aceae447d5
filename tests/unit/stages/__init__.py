"""Tests of the stages, one at a time."""

from __future__ import annotations
