"""From the syntax tree to closures, specialised by type."""

from __future__ import annotations
