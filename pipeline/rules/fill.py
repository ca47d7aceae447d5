"""Filling a rule's placeholders: `{org}` in its strings and keys becomes a value of the rule's `for`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pipeline.rules.document import Node
from stages.rules.place import Fault, Filled, Text
from stages.rules.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stages.rules.place import Place

#: `{{org}}` stands for the text `{org}`; braces around anything but a word are left alone.
_PLACEHOLDER: Final = re.compile(r"\{(?P<kept>\{\w+\})\}|\{(?P<name>[A-Za-z_]\w*)\}")


class Filling:
    """One set of values for the placeholders; names that it lacks become faults."""

    def __init__(self, values: Mapping[str, str], faults: list[Fault], rule: str) -> None:
        self._values = values
        self._faults = faults
        self._rule = rule

    def node(self, node: Node) -> Node:
        """The tree with every string and every key filled."""
        value: Any = node.value
        if isinstance(value, dict):
            filled = {self.words(key, inner.place): self.node(inner) for key, inner in value.items()}
            return Node(filled, node.place)
        if isinstance(value, list):
            return Node([self.node(inner) for inner in value], node.place)
        return Node(self.text(value), node.place) if type(value) is Text else node

    def text(self, text: Text) -> Text:
        """The string, filled; it still knows the places of what it was."""
        filled: list[Filled] = []
        parts: list[str] = []
        end = length = 0
        for match in _PLACEHOLDER.finditer(text.value):
            kept, value = text.value[end : match.start()], self._value(match, text.place)
            length += len(kept)
            filled.append(Filled(length, len(value), len(match.group())))
            parts += [kept, value]
            length += len(value)
            end = match.end()
        if not filled:
            return text
        return Text("".join([*parts, text.value[end:]]), text.place, text.raw, text.value, tuple(filled))

    def words(self, written: str, place: Place) -> str:
        """A key, filled."""
        return _PLACEHOLDER.sub(lambda match: self._value(match, place), written)

    def _value(self, match: re.Match[str], place: Place) -> str:
        name = match["name"]
        if name is None:
            return match["kept"]
        if name not in self._values:
            message = f"`{{{name}}}` is no parameter of the rule's `for`"
            advice = did_you_mean(name, self._values) or f"for the text itself write {{{{{name}}}}}"
            self._faults.append(Fault(place, message, self._rule, advice))
        return self._values.get(name, match.group())
