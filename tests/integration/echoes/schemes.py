"""Rules between some orgs, each of which leads in the end to each other."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tests.fixtures.federation import FIELDS, both_ways, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

ORGS: Final = ("north", "south", "west", "east", "centre")
Shape = Literal["pairs", "circle", "ring", "hub"]
SHAPES: Final[tuple[Shape, ...]] = ("pairs", "circle", "ring", "hub")
_HEAD: Final = "[rules.map]"


class Scheme(NamedTuple):
    """A shape of rules between the first `size` orgs, and what decides where edits meet.

    The `choices` are the rules' priorities, in turn. All have one policy: `newest` where several orgs edit a
    record, else the first choice tells. (Rules under `source` do not pass on when a value was edited.)
    """

    shape: Shape
    size: int
    contended: bool
    choices: tuple[int, ...]

    @property
    def policy(self) -> str:
        """The policy of all rules."""
        return "newest" if self.contended or self.choices[0] % 2 == 0 else "source"

    @property
    def deletes(self) -> bool:
        """In a one-way circle it is not promised how a delete ends that meets edits."""
        return not (self.contended and self.shape == "circle")


def orgs_of(scheme: Scheme) -> Sequence[str]:
    """The orgs of a scheme."""
    return ORGS[: scheme.size]


def rules_of(shape: Shape, orgs: Sequence[str]) -> list[str]:
    """The rules between some orgs; each leads to each other."""
    following = [*orgs[1:], orgs[0]]
    if shape == "circle":
        return [rule(one, other, *FIELDS) for one, other in zip(orgs, following, strict=True)]
    if shape == "hub":
        return [both_ways(orgs[0], spoke, *FIELDS) for spoke in orgs[1:]]
    if shape == "ring":
        return [both_ways(one, other, *FIELDS) for one, other in zip(orgs, following, strict=True)]
    return [both_ways(one, other, *FIELDS) for one, other in itertools.pairwise(orgs)]


def written_out(scheme: Scheme) -> str:
    """The rules of a scheme with their policies and priorities."""
    choices = itertools.cycle(scheme.choices)
    first, *rest = "".join(rules_of(scheme.shape, orgs_of(scheme))).split(_HEAD)
    written = [
        f'conflict = "{scheme.policy}"\npriority = {priority}\n{_HEAD}{text}'
        for priority, text in zip(choices, rest, strict=False)
    ]
    return "".join([first, *written])
