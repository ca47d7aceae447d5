"""Finding the orgs and tables that a rules file names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stages.rules.model import TableName
from stages.rules.place import Fault, Text
from stages.rules.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stages.rules.declared import Declared, DeclaredOrg, DeclaredRule
    from stages.rules.facts import Catalogue, TableFacts

OURS: Final = "orgstream"


def named_tables(declared: Declared) -> set[tuple[str, str]]:
    """Every (schema, table) that the files name in a known org: what is to be looked up in the catalogue."""
    split = [text.value.partition(".") for rule in declared.rules for text in _texts(rule)]
    split += [(org.name, ".", table) for org in declared.orgs.values() for table in org.tables]
    return {
        (schema.value, table)
        for org, _, table in split
        if org in declared.orgs and (schema := declared.orgs[org].schema) is not None
    }


def _texts(rule: DeclaredRule) -> Iterator[Text]:
    lookups = [mapping.lookup for mapping in (rule.map or {}).values()]
    yield from (text for text in (rule.source, rule.target, *lookups) if text is not None)


class Tables:
    """The tables of the declared orgs as the catalogue has them; what is not there becomes a fault."""

    def __init__(self, orgs: Mapping[str, DeclaredOrg], catalogue: Catalogue, faults: list[Fault]) -> None:
        self._orgs = orgs
        self._catalogue = catalogue
        self._faults = faults

    def find(self, key: str, text: Text, rule: str) -> tuple[TableName, TableFacts] | None:
        """The table that a rule's `from` or `to` names."""
        org, dot, name = text.value.partition(".")
        if not (org and dot and name):
            self._fault(
                text, rule, f"`{key}` must be org.table, not `{text.value}`", self._with_org(text.value)
            )
            return None
        if org not in self._orgs:
            self._fault(text, rule, f"`{key}` names an unknown org `{org}`", did_you_mean(org, self._orgs))
            return None
        schema = self._orgs[org].schema
        if schema is None or schema.value not in self._catalogue.schemas:
            return None  # said where the org is described
        facts = self._catalogue.tables.get((schema.value, name))
        if facts is None:
            message = f"`{key}`: org {org} has no table `{name}` in schema {schema.value}"
            self._fault(text, rule, message, self._did_you_mean(schema.value, name))
            return None
        self._check_connector(org, text, rule, facts)
        return TableName(org, schema.value, name), facts

    def _check_connector(self, org: str, text: Text, rule: str, facts: TableFacts) -> None:
        stated = self._orgs[org].connector
        if stated is not None and stated != facts.connector:
            message = f'org {org} says connector = "{stated}", but {facts.name} looks like {facts.connector}'
            self._fault(text, rule, message, "remove `connector`: it is found by looking at the tables")

    def _with_org(self, name: str) -> str | None:
        """Advice on a table named without its org."""
        orgs = [org.name for org in self._orgs.values() if name in self._names_in(org)]
        if orgs:
            return f"did you mean `{orgs[0]}.{name}`?"
        return f"for example `{next(iter(self._orgs))}.account`" if self._orgs else None

    def _names_in(self, org: DeclaredOrg) -> tuple[str, ...]:
        return self._catalogue.names.get(org.schema.value, ()) if org.schema else ()

    def _did_you_mean(self, schema: str, table: str) -> str | None:
        return did_you_mean(table, self._catalogue.names.get(schema, ()))

    def _fault(self, text: Text, rule: str, message: str, suggestion: str | None) -> None:
        self._faults.append(Fault(text.place, message, rule, suggestion))


def check_orgs(declared: Declared, catalogue: Catalogue) -> Iterator[Fault]:
    """Faults of the orgs themselves: their schemas, connectors and described tables."""
    taken: dict[str, str] = {}
    for org in declared.orgs.values():
        if org.schema is None:
            continue
        schema = org.schema.value
        if schema == OURS:
            yield Fault(
                org.schema.place, f"schema {OURS} is Orgstream's own", suggestion="name the org's schema"
            )
        elif schema not in catalogue.schemas:
            advice = did_you_mean(schema, [name for name in catalogue.schemas if name != OURS])
            yield Fault(org.schema.place, f"the database has no schema `{schema}`", suggestion=advice)
        elif schema in taken:
            message = f"org {taken[schema]} has schema `{schema}` already"
            yield Fault(org.schema.place, message, suggestion="give each org a schema of its own")
        else:
            taken[schema] = org.name
            yield from _check_described(org, schema, catalogue)


def _check_described(org: DeclaredOrg, schema: str, catalogue: Catalogue) -> Iterator[Fault]:
    for name, table in org.tables.items():
        facts = catalogue.tables.get((schema, name))
        if facts is None:
            advice = did_you_mean(name, catalogue.names.get(schema, ()))
            yield Fault(table.place, f"org {org.name} has no table `{name}`", suggestion=advice)
            continue
        for column in table.identity:
            if facts.column(column.value) is None:
                advice = did_you_mean(column.value, facts.names())
                message = f"`identity`: {org.name}.{name} has no column `{column.value}`"
                yield Fault(column.place, message, suggestion=advice)
            elif facts.connector == "heroku-connect" and column.value == "id":
                message = "`identity`: `id` is Heroku Connect's own number, which a reload gives anew"
                yield Fault(column.place, message, suggestion="use the external id or sfid")
