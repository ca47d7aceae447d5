"""Tests of one thing at a time, without servers."""

from __future__ import annotations
