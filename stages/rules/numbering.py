"""Numbers and versions of rules: a name keeps its number, and its version rises when it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stages.rules.model import Rule, RuleSet


def numbered(candidate: RuleSet, latest: Iterable[Rule]) -> RuleSet:
    """The candidate with every rule's id and version.

    `latest` has the newest version of each rule there ever was. The set's own version stays as it is.
    """
    known = {rule.name: rule for rule in latest}
    free = max((rule.id for rule in known.values()), default=0) + 1
    rules = []
    for rule in candidate.rules:
        earlier = known.get(rule.name)
        if earlier is None:
            rules.append(replace(rule, id=free, version=1))
            free += 1
        else:
            risen = earlier.version + (not same_definition(earlier, rule))
            rules.append(replace(rule, id=earlier.id, version=risen))
    return replace(candidate, rules=tuple(rules))


def same_definition(one: Rule, other: Rule) -> bool:
    """Whether two rules say the same, whatever their numbers."""
    return replace(one, id=0, version=0) == replace(other, id=0, version=0)


def same_content(one: RuleSet | None, other: RuleSet) -> bool:
    """Whether two rule sets say the same, whatever the sets' versions."""
    return one is not None and replace(one, version=0) == replace(other, version=0)
