"""What is told of a running pipeline, on real servers."""

from __future__ import annotations
