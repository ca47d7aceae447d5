"""What a rule set needs to know of the target database before its writes are planned."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from stages.rules.contest import is_contested

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from stages.rules.model import Rule


class Need(StrEnum):
    """One kind of knowledge. Rules that need none of it are planned before the transaction begins."""

    LOOKUPS = "lookups"  # values that other tables hold
    PARENTS = "parents"  # whether the rows are there that foreign keys refer to: asked once one was violated
    CONFLICTS = "conflicts"  # edits of the target's own
    LINKS = "links"  # which target row a record has, whatever its key is now


def needs_of(rules: Sequence[Rule]) -> frozenset[Need]:
    """What these rules need; said once, when a rule set is compiled."""
    found: set[Need] = set()
    for rule in rules:
        if any(mapping.lookup is not None for mapping in rule.map.values()):
            found.add(Need.LOOKUPS)
        if is_contested(rule, rules):
            found.add(Need.CONFLICTS)
    return frozenset(found)


def links_needed(linked: Collection[int]) -> frozenset[Need]:
    """What linked rules need beside."""
    return frozenset({Need.LINKS} if linked else ())
