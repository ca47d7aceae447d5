"""LIKE and ILIKE: % is any run of characters, _ any one, and the escape character makes the next one plain.

No regular expressions: a pattern is cut at its % into pieces that are looked for from left to right, which
takes time proportional to pattern times text at worst.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from stages.expression.compiler.coercion import coerce
from stages.expression.compiler.operand import Operand, applied
from stages.expression.errors import EvaluationError
from stages.expression.types import SqlType
from stages.expression.values.letter_case import lower

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Piece: TypeAlias = list[str | None]  # characters, None for any one

BACKSLASH: Final = "\\"


class Pattern:
    """A pattern, read once and matched many times."""

    __slots__ = ("_dangling", "_pieces")

    def __init__(self, pattern: str, escape: str = BACKSLASH, *, fold: bool = False) -> None:
        self._pieces: list[Piece] = [[]]
        self._dangling = False
        escaped = False
        for character in pattern:
            if escaped or character not in {escape, "%", "_"}:
                self._pieces[-1].append(lower(character) if fold else character)
                escaped = False
            elif character == escape:
                escaped = True
            elif character == "%":
                self._pieces.append([])
            else:
                self._pieces[-1].append(None)
        self._dangling = escaped
        if escaped:
            self._expect_dangling()

    def _expect_dangling(self) -> None:
        """Make the last piece what Postgres has matched when it comes to an escape that nothing follows.

        It looks at the escape while a character is left to match, or right after skipping a run of % and _.
        """
        run: list[Piece] = []
        while len(self._pieces) > 1 and all(character is None for character in self._pieces[-1]):
            run.append(self._pieces.pop())
        if run:
            self._pieces.append([None] * max(1, sum(map(len, run))))
        else:
            self._pieces[-1].append(None)

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` fits.

        Raises EvaluationError 22025 where matching comes to an escape character that nothing follows.
        """
        first, *others = self._pieces
        if not others:
            return (self._dangling or len(text) == len(first)) and self._found(_fits(first, text, 0))
        if not _fits(first, text, 0):
            return False
        start = len(first)
        for piece in others[:-1]:
            start = _find(piece, text, start)
            if start < 0:
                return False
        last = others[-1]
        if self._dangling:
            return self._found(_find(last, text, start) >= 0)
        return len(text) - len(last) >= start and _fits(last, text, len(text) - len(last))

    def _found(self, fits: bool) -> bool:
        if fits and self._dangling:
            raise EvaluationError("22025", "LIKE pattern must not end with escape character")
        return fits


def _fits(piece: Piece, text: str, start: int) -> bool:
    if start + len(piece) > len(text):
        return False
    return all(wanted is None or text[start + index] == wanted for index, wanted in enumerate(piece))


def _find(piece: Piece, text: str, start: int) -> int:
    """The end of the first place from `start` on where `piece` fits, or -1."""
    if None not in piece:
        found = text.find("".join(filter(None, piece)), start)
        return found if found < 0 else found + len(piece)
    for begin in range(start, len(text) - len(piece) + 1):
        if _fits(piece, text, begin):
            return begin + len(piece)
    return -1


def like(operands: Sequence[Operand], at: int, *, fold: bool) -> Operand:
    """value LIKE pattern, or ILIKE where `fold`; a third operand is the escape character, none if empty."""
    text, template = (coerce(operand, SqlType.TEXT) for operand in operands[:2])
    escape = operands[2].value if len(operands) > 2 else None
    sign = BACKSLASH if escape is None else escape
    if template.constant and template.value is not None:
        return applied(SqlType.BOOLEAN, _known(template.value, sign, fold), at, text)
    return applied(SqlType.BOOLEAN, _read_each(sign, fold), at, text, template)


def _read_each(escape: str, fold: bool) -> Callable[[str, str], bool]:
    def match(text: str, template: str) -> bool:
        return Pattern(template, escape, fold=fold).matches(lower(text) if fold else text)

    return match


def _known(template: str, escape: str, fold: bool) -> Callable[[str], bool]:
    """The fastest test for a known pattern."""
    wild = template.strip("%")
    plain = not any(sign in wild for sign in ("%", "_", escape or "%"))
    front, back = template.startswith("%"), template.endswith("%")
    wanted = lower(wild) if fold else wild
    if not plain or (escape and (escape == "%" or template.startswith(escape))):
        matches = Pattern(template, escape, fold=fold).matches
        return (lambda text: matches(lower(text))) if fold else matches
    return _plain_test(wanted, front, back, fold)


def _plain_test(wanted: str, front: bool, back: bool, fold: bool) -> Callable[[str], bool]:
    tests: dict[tuple[bool, bool], Callable[[str], bool]] = {
        (False, False): lambda text: text == wanted,
        (False, True): lambda text: text.startswith(wanted),
        (True, False): lambda text: text.endswith(wanted),
        (True, True): lambda text: wanted in text,
    }
    test: Any = tests[front, back]
    return (lambda text: bool(test(lower(text)))) if fold else test
