"""Salesforce ids: 15 characters in which case matters, and 3 that repeat the case for whoever ignores it."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SUFFIX: Final = string.ascii_uppercase + "012345"
_COUNTER_WIDTH: Final = 9


class IdMint:
    """Hands out ids of one org: key prefix of the object, three characters of the org, a running number."""

    def __init__(self, rng: random.Random) -> None:
        self._pod = "".join(rng.choices(BASE62, k=3))
        self._next = rng.randrange(62**4, 62**5)

    def new(self, key_prefix: str) -> str:
        """The next id, in its 18-character form. Neighbours may differ in the case of one letter only."""
        number, self._next = self._next, self._next + 1
        return eighteen(key_prefix + self._pod + _base62(number).rjust(_COUNTER_WIDTH, "0"))


def eighteen(fifteen: str) -> str:
    """The 18-character form of a 15-character id: each added character says which of five are capitals."""
    added = []
    for start in (0, 5, 10):
        capitals = sum(1 << place for place in range(5) if fifteen[start + place].isupper())
        added.append(_SUFFIX[capitals])
    return fifteen + "".join(added)


def custom_prefix(ordinal: int) -> str:
    """The key prefix of the org's nth custom object: a00, a01, ..."""
    return "a" + _base62(ordinal).rjust(2, "0")


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return digits or "0"
