"""What Postgres does with values of each type: arithmetic, comparison, conversion, text forms."""

from __future__ import annotations
