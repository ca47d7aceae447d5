"""Rules: which changes go where, and what becomes of them on the way."""

from __future__ import annotations
