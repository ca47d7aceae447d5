"""What was probably meant by a name that is not known."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known name that is most like `word`, whatever its case, or None."""
    by_folded = {name.casefold(): name for name in sorted(known)}
    folded = word.casefold()
    swapped = [name for name in by_folded if sorted(name) == sorted(folded)]  # `form` is `from`, not `for`
    found = swapped or get_close_matches(folded, by_folded, n=1)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], *, limit: int = 8) -> str | None:
    """Advice on an unknown name: the closest one, else all of them where they are few."""
    names = sorted(known)
    near = closest(word, names)
    if near is not None:
        return f"did you mean `{near}`?"
    return f"known: {', '.join(names)}" if 0 < len(names) <= limit else None
