"""Random typed expressions, drawn from the forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from stages.expression import SqlType
from tests.property.expression_forms import (
    COUNT,
    DAY_PART,
    DAYS,
    DIGITS,
    FORMS,
    INTERVAL,
    PART,
    PATTERN,
    TRUNCATION,
    ZONE,
    Filling,
    Form,
    Narrower,
)
from tests.property.expression_pieces import LITERALS, Piece, quoted, same, small, whole
from tests.property.expression_rows import PREFIXES

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[[st.SearchStrategy[Any]], Any]

_DAY_PARTS: Final = ("year", "month", "day", "dow", "isodow", "doy", "week", "isoyear", "quarter", "epoch")
_LONG_PARTS: Final = ("decade", "century", "millennium")
_CLOCK_PARTS: Final = ("hour", "minute", "second", "milliseconds", "microseconds")
_TRUNCATIONS: Final = (
    *("milliseconds", "second", "minute", "hour", "day", "week", "month"),
    *("quarter", "year", "decade", "century", "millennium"),
)
_INTERVALS: Final = (
    *("1 day", "1 month", "13 months", "1 year 2 months 3 days", "90 minutes", "-1 month", "1 week"),
    *("36 hours 5 seconds", "250 milliseconds", "4 years -1 days"),
)
_ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
_PATTERNS: Final = st.text(st.sampled_from("ab%_\\!Aß "), max_size=5)
_FAMILIES: Final = (
    (SqlType.INTEGER, SqlType.NUMERIC, SqlType.DOUBLE),
    (SqlType.DATE, SqlType.TIMESTAMP, SqlType.TIMESTAMPTZ),
)
_WRITTEN: Final = {
    DIGITS: st.integers(-4, 6).map(lambda digits: same(str(digits))),
    DAYS: st.integers(0, 400).map(lambda days: same(str(days))),
    INTERVAL: st.sampled_from(_INTERVALS).map(lambda text: same(f"INTERVAL '{text}'")),
    ZONE: st.sampled_from(_ZONES).map(same),
    DAY_PART: st.sampled_from((*_DAY_PARTS, *_LONG_PARTS)).map(same),
    PART: st.sampled_from((*_DAY_PARTS, *_LONG_PARTS, *_CLOCK_PARTS)).map(same),
    TRUNCATION: st.sampled_from(_TRUNCATIONS).map(same),
}
_UNTYPED: Final = {
    SqlType.TEXT: "abc",
    SqlType.BOOLEAN: "yes",
    SqlType.INTEGER: "42",
    SqlType.NUMERIC: "4.50",
    SqlType.DOUBLE: "0.1",
    SqlType.DATE: "2024-02-29",
    SqlType.TIMESTAMP: "2024-02-29 01:02:03",
    SqlType.TIMESTAMPTZ: "2024-02-29 01:02:03+02",
}


@st.composite
def pieces(draw: Draw, depth: int = 3) -> Piece:
    """An expression of any type."""
    return _piece(draw, draw(st.sampled_from(sorted(FORMS))), depth)


def _piece(draw: Draw, type_: SqlType, depth: int) -> Piece:
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return _leaf(draw, type_)
    form: Form = draw(st.sampled_from(draw(st.sampled_from(FORMS[type_]))))
    return _filled(form, tuple(_fill(draw, filling, depth - 1) for filling in form.fillings))


def _filled(form: Form, parts: tuple[Piece, ...]) -> Piece:
    theirs = form.template.format(*(part.theirs for part in parts))
    return Piece(
        ours=form.template.format(*(part.ours for part in parts)),
        theirs=f"({theirs})::bigint" if form.int4 else theirs,
        parts=parts,
        lazy=form.lazy,
    )


def _fill(draw: Draw, filling: Filling, depth: int) -> Piece:
    if isinstance(filling, SqlType):
        return _piece(draw, filling, depth)
    if isinstance(filling, Narrower):
        return _narrower(draw, filling.type, depth)
    if filling == COUNT:
        return _count(draw)
    if filling == PATTERN:
        return (
            draw(_PATTERNS.map(quoted).map(same))
            if draw(st.booleans())
            else _piece(draw, SqlType.TEXT, depth)
        )
    written: Piece = draw(_WRITTEN[filling])
    return written


def _count(draw: Draw) -> Piece:
    """A small number: a literal, or one that the row decides. Postgres wants it 32 bits wide."""
    value: Piece = draw(small.map(whole))
    if draw(st.booleans()):
        value = Piece(f"(n1 % 5 + {value.ours})", f"(n1 % 5 + {value.theirs})")
    return Piece(value.ours, f"CAST({value.theirs} AS integer)")


def _narrower(draw: Draw, type_: SqlType, depth: int) -> Piece:
    chosen = draw(st.integers(0, 9))
    if chosen == 0:
        return same("NULL")
    if chosen <= 2:
        return same(quoted(_UNTYPED[type_]))
    narrower = [type_]
    for family in _FAMILIES:
        if type_ in family:
            narrower = list(family[: family.index(type_) + 1])
    return _piece(draw, draw(st.sampled_from(narrower)), depth)


def _leaf(draw: Draw, type_: SqlType) -> Piece:
    if draw(st.integers(0, 2)):
        return same(f"{PREFIXES[type_]}{draw(st.integers(1, 2))}")
    literal: Piece = draw(LITERALS[type_])
    return literal
