"""Functions of texts, as Postgres has them. Counts are of characters."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from stages.expression.errors import EvaluationError

MAX_RESULT: Final = 1_048_576
"""Characters that a text function may produce: replace and lpad could otherwise fill the memory."""


def bounded(length: int) -> None:
    """Raise EvaluationError 54000 where a result of `length` characters would be too long."""
    if length > MAX_RESULT:
        raise EvaluationError("54000", f"a text of more than {MAX_RESULT} characters would result")


def join(*parts: str) -> str:
    """The parts one after another."""
    joined = "".join(parts)
    bounded(len(joined))
    return joined


def trim(text: str, characters: str = " ") -> str:
    """Without the given characters at both ends."""
    return text.strip(characters)


def trim_left(text: str, characters: str = " ") -> str:
    """Without the given characters at the beginning."""
    return text.lstrip(characters)


def trim_right(text: str, characters: str = " ") -> str:
    """Without the given characters at the end."""
    return text.rstrip(characters)


def substring(text: str, start: int, length: int | None = None) -> str:
    """From the 1-based `start` on; what lies before the text counts too. Raises EvaluationError 22011."""
    if length is None:
        return text[max(start, 1) - 1 :]
    if length < 0:
        raise EvaluationError("22011", "negative substring length not allowed")
    return text[max(start, 1) - 1 : max(start + length - 1, 0)]


def left(text: str, count: int) -> str:
    """The first `count` characters; all but the last ones where negative."""
    return text[:count]


def right(text: str, count: int) -> str:
    """The last `count` characters; all but the first ones where negative."""
    return text[max(len(text) - count, 0) :] if count >= 0 else text[-count:]


def replace(text: str, old: str, new: str) -> str:
    """Every `old` replaced."""
    if not old:
        return text
    bounded(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def position(text: str, wanted: str) -> int:
    """Where `wanted` first begins, from 1 on; 0 where it does not."""
    return text.find(wanted) + 1


def pad_left(text: str, length: int, fill: str = " ") -> str:
    """Cut or filled at the beginning to `length` characters."""
    return _padding(text, length, fill) + text[: max(length, 0)]


def pad_right(text: str, length: int, fill: str = " ") -> str:
    """Cut or filled at the end to `length` characters."""
    return text[: max(length, 0)] + _padding(text, length, fill)


def _padding(text: str, length: int, fill: str) -> str:
    missing = length - len(text)
    if missing <= 0 or not fill:
        return ""
    bounded(length)
    return (fill * (missing // len(fill) + 1))[:missing]


def split_part(text: str, delimiter: str, index: int) -> str:
    """The part number `index`, counted from the end where negative. Raises EvaluationError 22023."""
    if index == 0:
        raise EvaluationError("22023", "field position must not be zero")
    if not text:
        return ""
    parts = text.split(delimiter) if delimiter else [text]
    at = index - 1 if index > 0 else len(parts) + index
    return parts[at] if 0 <= at < len(parts) else ""


def md5(text: str) -> str:
    """The MD5 of its UTF-8 bytes, in hexadecimal."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def concatenate(*values: Any) -> str:
    """concat: the texts that are not NULL, one after another."""
    return join(*(value for value in values if value is not None))


def concatenate_with(separator: str | None, *values: Any) -> str | None:
    """concat_ws: the texts that are not NULL, with a separator between them."""
    if separator is None:
        return None
    found = [value for value in values if value is not None]
    bounded(sum(map(len, found)) + len(separator) * max(len(found) - 1, 0))
    return separator.join(found)
