"""What a user does to one record: in the org itself, or by an application that writes the org's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from pipeline.postgres.queries import load

if TYPE_CHECKING:
    import random

    import psycopg

    from pipeline.connect import Row, SalesforceOrg

_BY_APPLICATION = 0.4  # the share of edits that come through a table


class Desk:
    """Where the users of one org sit. Everything raises Refused where the org does not take it."""

    def __init__(self, org: SalesforceOrg, application: psycopg.Connection, rng: random.Random) -> None:
        self.org = org
        self._application = application
        self._rng = rng

    def create(self, sobject: str, values: Row) -> str | None:
        """Make a record; its Salesforce id, where it was made there."""
        if not self._by_application():
            return self.org.create(sobject, values)
        columns = [name.lower() for name in values]
        self._write("insert_row", sobject, values, columns=sql.SQL(", ").join(map(sql.Identifier, columns)))
        return None

    def update(self, sobject: str, ext_id: str, values: Row, *, in_salesforce: bool = False) -> None:
        """Change some fields of a record, where it is; by an application too, unless `in_salesforce`."""
        if not in_salesforce and self._by_application():
            form = sql.SQL("{} = {}")
            sets = [form.format(sql.Identifier(n.lower()), sql.Placeholder(n.lower())) for n in values]
            self._write("update_row", sobject, {**values, "ext_id": ext_id}, sets=sql.SQL(", ").join(sets))
        else:
            self.org.upsert(sobject, "Ext_Id__c", {"Ext_Id__c": ext_id, **values})

    def delete(self, sobject: str, ext_id: str, sfid: str | None) -> None:
        """Delete a record: by an application, where its Salesforce id is not known."""
        if sfid is None or self._by_application():
            self._write("delete_row", sobject, {"ext_id": ext_id})
        else:
            self.org.delete(sobject, sfid)

    def _by_application(self) -> bool:
        return self._rng.random() < _BY_APPLICATION

    def _write(self, query: str, sobject: str, values: Row, **parts: sql.Composable) -> None:
        lowered = {name.lower(): value for name, value in values.items()}
        placeholders = sql.SQL(", ").join(map(sql.Placeholder, lowered))
        statement = sql.SQL(load("demo")[query]).format(
            table=sql.Identifier(self.org.name, sobject.lower()), placeholders=placeholders, **parts
        )
        self._application.execute(statement, lowered)
