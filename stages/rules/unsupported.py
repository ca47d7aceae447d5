"""What a rules file may say and the stages cannot do yet: checked like the rest, and refused in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stages.rules.place import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stages.rules.declared import Declared, DeclaredRule
    from stages.rules.place import Place

#: Until conflicts are decided, the source's change wins; of the policies only these mean just that.
_POLICIES: Final = frozenset({"newest", "source"})


def unsupported(declared: Declared) -> Iterator[Fault]:
    """A fault for everything that is not supported yet."""
    for rule in declared.rules:
        yield from _policy(rule, rule.conflict, rule.places)
        for mapping in (rule.map or {}).values():
            yield from _policy(rule, mapping.conflict, mapping.places)


def _policy(rule: DeclaredRule, policy: str | None, places: Mapping[str, Place]) -> Iterator[Fault]:
    if policy is not None and policy not in _POLICIES and "conflict" in places:
        message = f'`conflict = "{policy}"` is not supported yet'
        advice = "until it is, the source's change wins: remove it"
        yield Fault(places["conflict"], message, rule.label, advice)
