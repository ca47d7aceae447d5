"""One table of a rules file under the reader's eye: typed access to its keys, faults noted, not raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from pipeline.rules.document import KINDS
from stages.rules.declared import Cell
from stages.rules.place import Fault, Place, Text
from stages.rules.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.rules.document import Node

_T = TypeVar("_T")


class Section:
    """A table of the file; `faults` is the list that all sections of a reading share."""

    def __init__(self, node: Node, faults: list[Fault], rule: str | None = None) -> None:
        self.place = node.place
        self.rule = rule
        self._faults = faults
        self._nodes = cast("dict[str, Node]", node.value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def place_of(self, key: str) -> Place:
        """Where the key stands; where this table begins, if it has no such key."""
        return self._nodes[key].place if key in self._nodes else self.place

    def fault(self, place: Place, message: str, suggestion: str | None = None) -> None:
        """Note a fault."""
        self._faults.append(Fault(place, message, self.rule, suggestion))

    @property
    def places(self) -> dict[str, Place]:
        """Where each key stands."""
        return {key: node.place for key, node in self._nodes.items()}

    def only(self, known: Iterable[str], instead: Mapping[str, str] | None = None) -> None:
        """Refuse every key that is not known; `instead` says what to do in place of some that never were."""
        known, instead = set(known), instead or {}
        for key in self._nodes:
            if key not in known:
                advice = instead.get(key) or did_you_mean(key, known, limit=16)
                self.fault(self.place_of(key), f"unknown key `{key}`", advice)

    def require(self, key: str, example: str) -> None:
        """Refuse the table where it lacks the key."""
        if key not in self._nodes:
            self.fault(self.place, f"`{key}` is missing", f"for example {example}")

    def kind(self, key: str) -> type | None:
        """The type of the key's value, or None where there is no such key."""
        return type(self._nodes[key].value) if key in self._nodes else None

    def is_filled(self, key: str) -> bool:
        """Whether the key has an array or table with something in it, right or wrong."""
        return bool(key in self._nodes and self._nodes[key].value)

    def cell(self, key: str) -> Cell:
        """The key's value, whatever it is."""
        return Cell(_plain(self._nodes[key]), self._nodes[key].place)

    def text(self, key: str) -> Text | None:
        """The key's string."""
        return self._typed(key, Text)

    def whole(self, key: str, default: int) -> int:
        """The key's whole number."""
        found = self._typed(key, int)
        return default if found is None else found

    def number(self, key: str) -> float | None:
        """The key's number, whole or not."""
        kind = int if self.kind(key) is int else float
        return self._typed(key, kind)

    def boolean(self, key: str, *, default: bool) -> bool:
        """The key's true or false."""
        found = self._typed(key, bool)
        return default if found is None else found

    def texts(self, key: str) -> list[Text] | None:
        """The key's array of strings."""
        nodes: list[Node] | None = self._typed(key, list)
        if nodes is None:
            return None
        for node in nodes:
            if type(node.value) is not Text:
                self.fault(node.place, f"`{key}` must be an array of strings; this is {node.kind}")
        return [node.value for node in nodes if type(node.value) is Text]

    def section(self, key: str) -> Section | None:
        """The key's table."""
        return None if self._typed(key, dict) is None else Section(self._nodes[key], self._faults, self.rule)

    def sections(self, key: str) -> list[Section]:
        """The key's array of tables."""
        nodes: list[Node] = self._typed(key, list) or []
        for node in nodes:
            if type(node.value) is not dict:
                self.fault(node.place, f"`{key}` must be an array of tables; this is {node.kind}")
        return [Section(node, self._faults, self.rule) for node in nodes if type(node.value) is dict]

    def text_table(self, key: str) -> dict[str, Text] | None:
        """The key's table of strings."""
        inner = self.section(key)
        return None if inner is None else inner.all_texts()

    def all_texts(self) -> dict[str, Text]:
        """Every key of this table with its string."""
        found = {key: self.text(key) for key in self}
        return {key: text for key, text in found.items() if text is not None}

    def choice(self, key: str, allowed: Sequence[str]) -> str | None:
        """The key's string, which must be one of those allowed."""
        text = self.text(key)
        if text is None or text.value in allowed:
            return None if text is None else text.value
        self.unknown_value(key, text, allowed)
        return None

    def unknown_value(self, key: str, text: Text, allowed: Sequence[str]) -> None:
        """Refuse a string that is not one of those allowed."""
        self.fault(text.place, f'`{key}` cannot be "{text.value}"', did_you_mean(text.value, allowed))

    def _typed(self, key: str, wanted: type[_T]) -> _T | None:
        node = self._nodes.get(key)
        if node is None:
            return None
        if type(node.value) is wanted:
            return node.value
        simple = wanted is Text and isinstance(node.value, bool | int | float)
        written = str(node.value).lower() if simple else ""
        advice = f'write `{key} = "{written}"`' if simple else None
        self.fault(node.place, f"`{key}` must be {KINDS[wanted]}, not {node.kind}", advice)
        return None


def _plain(node: Node) -> Any:
    """The value without its places."""
    if isinstance(node.value, dict):
        return {key: _plain(inner) for key, inner in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(inner) for inner in node.value]
    return node.value.value if isinstance(node.value, Text) else node.value
