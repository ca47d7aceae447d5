"""The tests of a rule: `[[rules.tests]]`, each a change and what the rule should make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stages.change import ORIGINS
from stages.passage import Kind
from stages.reject import Cause
from stages.rules.declared import DeclaredTest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.rules.section import Section
    from stages.rules.declared import Cell

KEYS: Final = {"name", "given", "before", "after", "origin", "expect", "values", "nulls", "cause", "lookups"}
NONE: Final = "none"
WAITS: Final = "waits"
_OUTCOMES: Final = (*Kind, NONE, WAITS)
_CAUSES: Final = tuple(cause for cause in Cause if cause is not Cause.UNREADABLE)


def declare_tests(section: Section) -> Iterator[DeclaredTest]:
    """The rule's tests."""
    if section.kind("tests") not in {list, None}:
        section.fault(
            section.place_of("tests"),
            "`tests` must be an array of tables",
            "begin each test with [[rules.tests]]",
        )
        return
    for number, inner in enumerate(section.sections("tests"), start=1):
        inner.only(KEYS)
        yield _test(inner, number)


def _test(section: Section, number: int) -> DeclaredTest:
    name = section.text("name")
    expect, cause = section.text("expect"), section.text("cause")
    if expect is not None and expect.value not in _OUTCOMES:
        section.unknown_value("expect", expect, _OUTCOMES)
    if cause is not None and cause.value not in _CAUSES:
        section.unknown_value("cause", cause, _CAUSES)
    if "expect" not in section and "cause" not in section:
        section.fault(section.place, "`expect` is missing", 'for example expect = "enter"')
    if cause is not None and ("values" in section or "nulls" in section):
        section.fault(section.place_of("cause"), "`cause` and `values` exclude each other", "remove one")
    before, after = _rows(section)
    return DeclaredTest(
        section.place,
        f"test #{number}" if name is None else f'test "{name.value}"',
        before,
        after,
        expect if expect is not None and expect.value in _OUTCOMES else None,
        _cells(section, "values") or {},
        tuple(section.texts("nulls") or ()),
        cause if cause is not None and cause.value in _CAUSES else None,
        section.choice("origin", ORIGINS),
        _cells(section, "lookups") or {},
    )


def _rows(section: Section) -> tuple[dict[str, Cell] | None, dict[str, Cell] | None]:
    """The record before and after the change; `given` is one that was inserted."""
    given, before, after = (_cells(section, key) for key in ("given", "before", "after"))
    if "given" in section:
        for key in ("before", "after"):
            if key in section:
                message = f"`given` is an inserted record, and has no place beside `{key}`"
                section.fault(section.place_of(key), message, "write `before` and `after`")
        return None, given
    if "before" not in section and "after" not in section:
        advice = 'for example given = { name = "Ann" }, or `before` and `after`'
        section.fault(section.place, "there is no record to test with", advice)
    return before, after


def _cells(section: Section, key: str) -> dict[str, Cell] | None:
    inner = section.section(key)
    return None if inner is None else {name: inner.cell(name) for name in inner}
