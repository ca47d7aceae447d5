"""Upper and lower case, one character at a time: what Postgres does in every UTF-8 locale but "C".

Python's own methods follow the full rules, where ß becomes SS; Postgres's `upper` leaves it.
"""

from __future__ import annotations

_DOTTED: dict[str, str] = {"İ": "i"}


def upper(text: str) -> str:
    """`text` in capitals."""
    return text.upper() if text.isascii() else "".join(map(_upper, text))


def lower(text: str) -> str:
    """`text` in small letters."""
    return text.lower() if text.isascii() else "".join(map(_lower, text))


def _upper(character: str) -> str:
    for candidate in (character.upper(), character.title()):
        if len(candidate) == 1:
            return candidate
    return character


def _lower(character: str) -> str:
    return _DOTTED.get(character) or character.lower()
