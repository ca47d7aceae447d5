"""Compiled rule sets: a few versions, so that entries under way are decided by the one they began with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from stages.rules.compile import compile_rules

if TYPE_CHECKING:
    from stages.rules.compile import CompiledRules
    from stages.rules.model import RuleSet

_REMEMBERED: Final = 4


class RuleSets(Protocol):
    """Where rule sets come from."""

    def current(self) -> RuleSet: ...
    def at(self, version: int) -> RuleSet: ...


class CompiledRuleSource:
    """Compiles what another source gives, each version once."""

    def __init__(self, rules: RuleSets) -> None:
        self._rules = rules
        self._compiled: dict[int, CompiledRules] = {}

    def current(self) -> CompiledRules:
        """The live rules."""
        return self._compile(self._rules.current())

    def at(self, version: int) -> CompiledRules:
        """The rules of a version."""
        return self._compiled.get(version) or self._compile(self._rules.at(version))

    def _compile(self, rule_set: RuleSet) -> CompiledRules:
        compiled = self._compiled.get(rule_set.version)
        if compiled is None:
            while len(self._compiled) >= _REMEMBERED:
                del self._compiled[min(self._compiled)]
            compiled = self._compiled[rule_set.version] = compile_rules(rule_set)
        return compiled
