"""Tests of the demo's pure parts."""

from __future__ import annotations
