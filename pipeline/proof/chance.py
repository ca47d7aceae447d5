"""Chance that can be had again: a generator for a purpose, the same one for the same seed."""

from __future__ import annotations

import random


def chance(seed: int, purpose: str) -> random.Random:
    """The generator of a purpose."""
    return random.Random(f"{seed} {purpose}")  # noqa: S311  # it makes up data, it keeps no secret
