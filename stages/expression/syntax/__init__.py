"""From text to our syntax tree, and from there to SQL."""

from __future__ import annotations
