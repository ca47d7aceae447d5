"""The documentation kept true: its examples run, its links lead somewhere, its lists are complete."""

from __future__ import annotations
