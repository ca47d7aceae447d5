"""The judge of one key: did what took effect in the target follow, in order, from what was committed?

Writes are coalesced, so that the target need not show every version. But it may show none twice, none that
is older than what it has shown, none before it was committed, and none that never was.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.proof.verdict import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.prove.journal import State

_COLUMNS: Final = ("version", "a", "b", "c")
_REMEMBERED: Final = 64  # versions behind the last one that was shown

Fault = tuple[Kind, str]


class Effect(NamedTuple):
    """What a transaction of the pipeline left under the key. `bound` is the last version committed then."""

    state: State
    bound: int


class Record:
    """One key. Only what is not yet shown is remembered, and a little of what was."""

    def __init__(self) -> None:
        self.known = 0  # every version up to this one is known
        self._states: dict[int, State] = {0: None}
        self._oldest = 0  # of the versions that are remembered
        self._shown = 0  # the version that the target shows, as far as it is right
        self._taken: deque[int] = deque([0], maxlen=_REMEMBERED)
        self._there = False
        self._effects: deque[Effect] = deque()

    @property
    def last(self) -> State:
        """What the source holds under the key."""
        return self._states[self.known]

    def commit(self, version: int, state: State) -> None:
        """A version was committed. They may be told in any order."""
        self._states[version] = state
        while self.known + 1 in self._states:
            self.known += 1

    def effect(self, effect: Effect) -> None:
        """The target shows something else under the key."""
        self._effects.append(effect)

    def judge(self) -> Iterator[Fault]:
        """What is wrong with the effects so far. Those wait whose history is not all known yet."""
        while self._effects and self._effects[0].bound <= self.known:
            effect = self._effects.popleft()
            was_there, self._there = self._there, effect.state is not None
            if effect.state is not None:
                yield from self._appeared(effect.state, effect.bound)
            elif was_there:  # else it came and went in one transaction
                yield from self._disappeared(effect.bound)

    def end(self, target: State) -> Iterator[Fault]:
        """What is wrong in the end, when everything has taken effect and is judged."""
        for _ in self._effects:
            yield Kind.WRONG, "an effect of a version that was never committed"
        wanted = self.last
        if target == wanted:
            return
        if target is None:
            yield Kind.LOST, f"version {self.known} is missing"
        elif wanted is None:
            yield Kind.LOST, f"version {self.known} deleted it, and version {target[0]} is still there"
        elif target[0] < wanted[0]:
            yield Kind.LOST, f"version {wanted[0]} is missing, version {target[0]} is there"
        else:
            yield Kind.WRONG, f"it holds {_told(target)}, not {_told(wanted)}"

    def _appeared(self, state: tuple[int, ...], bound: int) -> Iterator[Fault]:
        version = state[0]
        if version > bound:
            yield Kind.WRONG, f"version {version} took effect while {bound} was the last one committed"
        elif version <= self._shown:
            again = version in self._taken
            kind = Kind.REPEATED if again else Kind.OUT_OF_ORDER
            yield kind, f"version {version} took effect{' again' * again} after version {self._shown}"
        else:
            wanted = self._states[version]
            if state != wanted:
                yield self._different(state, wanted)
            self._show(version)

    def _disappeared(self, bound: int) -> Iterator[Fault]:
        for version in range(self._shown + 1, bound + 1):
            if self._states[version] is None:
                self._show(version)
                return
        again = any(version and self._states.get(version, ()) is None for version in self._taken)
        kind = Kind.REPEATED if again else Kind.WRONG
        yield kind, f"a delete took effect{' again' * again} after version {self._shown}"

    def _different(self, state: tuple[int, ...], wanted: State) -> Fault:
        version = state[0]
        if wanted is None:
            return Kind.WRONG, f"version {version} was a delete, and {_told(state)} took effect"
        places = [place for place, value in enumerate(state) if value != wanted[place]]
        earlier = [old for number, old in self._states.items() if number < version and old is not None]
        stale = all(any(old[place] == state[place] for old in earlier) for place in places)
        told = f"version {version} took effect as {_told(state)}, not {_told(wanted)}"
        if stale:  # each of them was right once: what changed them since has had no effect
            return Kind.LOST, f"{told}: an earlier change of {_named(places)} is missing"
        return Kind.WRONG, told

    def _show(self, version: int) -> None:
        self._shown = version
        self._taken.append(version)
        for old in range(self._oldest, self._taken[0]):
            del self._states[old]
        self._oldest = self._taken[0]


def _told(state: tuple[int, ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(_COLUMNS, state, strict=True))


def _named(places: list[int]) -> str:
    return ", ".join(_COLUMNS[place] for place in places)
