"""What is dropped when it is old, and what is not."""

from __future__ import annotations
