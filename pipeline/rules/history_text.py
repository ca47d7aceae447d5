"""The versions of the rules as plain lines, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.rules.plan_text import difference_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.rules.history import Version, Written


def lines(
    versions: Sequence[Version], written: Sequence[Written] | None, *, rule: str | None = None
) -> Iterator[str]:
    """The lines that tell a person the history; `written` is what the ledger holds of `rule`."""
    if not versions:
        yield "no rules were applied yet"
    for version in versions:
        yield _head(version)
        yield from (f"  {line}" for line in difference_lines(version.difference))
    if rule is None:
        return
    if written is None:
        yield "the ledger is too large to count its writes here"
    for found in written or ():
        yield (
            f"version {found.rule_version} of {rule}: {found.writes:,} writes in the ledger, "
            f"{found.first} to {found.last}"
        )


def _head(version: Version) -> str:
    who = f"{version.person or 'unknown'} (role {version.role})"
    restored = f", restores rule set {version.restored}" if version.restored else ""
    reason = f": {version.reason}" if version.reason else ""
    return f"rule set {version.version}  {version.applied_at}  {who}{restored}{reason}"
