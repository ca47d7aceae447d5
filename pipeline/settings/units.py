"""Quantities as people write them: durations such as 7d or 250ms, sizes such as 64MiB."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS: Final[Mapping[str, Decimal]] = {
    "d": Decimal(86_400),
    "h": Decimal(3_600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
}
_BYTES: Final[Mapping[str, int]] = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "B": 1}
_QUANTITY: Final = re.compile(r"([0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?)\s*([A-Za-z]*)")


def parse_seconds(text: str) -> float:
    """Seconds in `text`: a number with ms, s, m, h or d; without one it means seconds. Raises ValueError."""
    number, unit = _split(text)
    if unit not in {"", *_SECONDS}:
        raise ValueError("not a duration")
    return float(number * _SECONDS[unit or "s"])


def parse_bytes(text: str) -> int:
    """Bytes in `text`: a number with B, KiB, MiB or GiB; without one it means bytes. Raises ValueError."""
    number, unit = _split(text)
    factor = {name.lower(): bytes_ for name, bytes_ in _BYTES.items()}.get(unit.lower() or "b")
    if factor is None or number * factor % 1:
        raise ValueError("not a size")
    return int(number * factor)


def show_seconds(seconds: float) -> str:
    """`seconds` in the largest unit that leaves a whole number: 604800 is 7d, 0.25 is 250ms."""
    exact = Decimal(str(seconds))
    for unit, factor in _SECONDS.items():
        if exact >= factor and exact % factor == 0:
            return f"{int(exact / factor)}{unit}"
    return f"{seconds:g}s"


def show_bytes(size: int) -> str:
    """`size` in the largest unit that leaves a whole number: 67108864 is 64MiB."""
    unit, factor = next((u, f) for u, f in _BYTES.items() if size % f == 0 and (size >= f or f == 1))
    return f"{size // factor}{unit}"


def _split(text: str) -> tuple[Decimal, str]:
    found = _QUANTITY.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a number with a unit")
    return Decimal(found[1]), found[2]
