"""`orgstream bench`: the real processes on servers of its own, measured from outside. Read `run` first."""

from __future__ import annotations
