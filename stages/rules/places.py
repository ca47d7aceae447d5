"""In which order tables behind Heroku Connect are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stages.rules.model import RuleSet, Table, TableName


def places_of(rule_set: RuleSet, tables: Mapping[TableName, Table]) -> dict[TableName, int]:
    """The targets behind Heroku Connect, numbered as the rules name them first: parents before children."""
    targets = dict.fromkeys(rule.target for rule in rule_set.rules if rule.enabled)
    connected = [target for target in targets if tables[target].connector == "heroku-connect"]
    return {target: number for number, target in enumerate(connected, 1)}
