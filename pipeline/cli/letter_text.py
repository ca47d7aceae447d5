"""Dead letters in words: lists by cause without values, and one letter with all its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.letter_edit import Difference
    from pipeline.letter_view import AuditView, ChangeView, MappedWrite, WholeLetter
    from pipeline.letters import Group, LetterView

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def group_lines(groups: Sequence[Group]) -> Iterator[str]:
    """Every group, with a line for each of its letters; no values but the keys."""
    for group in groups:
        where = f" column {group.column}" if group.column else ""
        where += f" constraint {group.constraint}" if group.constraint else ""
        yield (
            f"rule {group.rule or '(none)'}  {group.cause} {group.sqlstate or ''}{where}: "
            f"{_count(len(group.letters), 'letter')}, {group.held} held"
        )
        yield f"    {group.letters[0].message}"
        for letter in group.letters:
            state = f", {letter.requested} asked for" if letter.requested else ""
            yield (
                f"  {letter.id}  {letter.source_table} {letter.key}  {letter.held} held, "
                f"tried {_count(letter.attempts, 'time')}, since {letter.created_at[:19]}{state}"
            )
    if not groups:
        yield "no open dead letters"


def letter_lines(whole: WholeLetter) -> Iterator[str]:
    """All about one letter."""
    letter = whole.letter
    yield from _head(letter)
    if whole.change is not None:
        yield from _change(letter, whole.change)
    if whole.payload is not None:
        yield f"what was read  {_text(whole.payload)}"
    if whole.write is not None:
        yield from _write(whole.write)
    else:
        yield f"write  none: {whole.fault}"
    for held in whole.held:
        yield f"held  {held.change_id} {held.operation} captured {held.captured_at[:19]}"
    for audit in whole.audit:
        yield from _audit(audit)


def difference_lines(differences: Sequence[Difference]) -> Iterator[str]:
    """What an edit changes."""
    for one in differences:
        yield f"    {one.column}: {_text(one.before)} -> {_text(one.after)}"


def _head(letter: LetterView) -> Iterator[str]:
    where = f" column {letter.column}" if letter.column else ""
    where += f" constraint {letter.constraint}" if letter.constraint else ""
    rule = f"{letter.rule} (version {letter.rule_version})" if letter.rule else "(none)"
    yield f"letter {letter.id}  rule {rule}  {letter.cause} {letter.sqlstate or ''}{where}"
    yield f"    {letter.message}"
    state = f"; {letter.requested} asked for" if letter.requested else ""
    tried = _count(letter.attempts, "time")
    yield f"    {letter.source_table} {letter.key}  tried {tried}, since {letter.created_at[:19]}{state}"


def _change(letter: LetterView, change: ChangeView) -> Iterator[str]:
    path = f" over {', '.join(change.path)}" if change.path else ""
    yield (
        f"change {letter.change_id}  {change.operation}  captured {change.captured_at[:19]} "
        f"from {change.origin}{path}"
    )
    before: dict[str, Any] = msgspec.json.decode(change.before) or {}
    after: dict[str, Any] = msgspec.json.decode(change.after) or {}
    for name in {**before, **after}:
        if before and after and before[name] != after[name]:
            yield f"  * {name}: {_text(before[name])} -> {_text(after[name])}"
        else:
            yield f"    {name}: {_text((after or before)[name])}"


def _write(write: MappedWrite) -> Iterator[str]:
    yield f"write  {write.action} {write.target} {_text(write.key)}"
    for name, value in write.values.items():
        yield f"  {'*' if name in write.changed else ' '} {name}: {_text(value)}"
    for name in write.unknown:
        yield f"    {name}: could not be found"


def _audit(audit: AuditView) -> Iterator[str]:
    client = f" at {audit.client}" if audit.client else ""
    yield (
        f"{audit.happened_at[:19]}  {audit.how} {audit.event} by {audit.actor} "
        f"(role {audit.database_user}{client}): {audit.reason}"
    )
    after: Mapping[str, Any] = msgspec.json.decode(audit.after) or {}
    before: Mapping[str, Any] = msgspec.json.decode(audit.before) or {}
    if audit.event == "asked":
        for name in after:
            yield f"    {name}: {_text(before.get(name))} -> {_text(after[name])}"


def _text(value: Any) -> str:
    return _ENCODER.encode(value).decode() if value is not None else "NULL"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
