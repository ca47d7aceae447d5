"""One add-on with its org, an application's session beside it, and short ways to look at the tables."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.rows import dict_row

from pipeline.connect import Connection, Field, Mapping, SalesforceOrg, SObject
from tests.fixtures.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ACCOUNT: Final = SObject(
    "Account",
    (
        Field("Name", "string(80)", required=True),
        Field("Ext_Id__c", "string(40)", external_id=True),
        Field("Amount__c", "currency"),
        Field("Active__c", "boolean"),
        Field("Day__c", "date"),
        Field("Seen_At__c", "datetime"),
        Field("Status__c", "picklist(255)"),
        Field("Shout__c", "string(80)", formula=lambda row: str(row["name"]).upper()),
    ),
)
CONTACT: Final = SObject(
    "Contact",
    (
        Field("LastName", "string(80)", required=True),
        Field("AccountId", "reference(Account)", by="Ext_Id__c"),
        Field("Ext_Id__c", "string(40)", external_id=True),
    ),
)
# No external id: what the reader can only know by its sfid.
NOTE: Final = SObject("Note__c", (Field("Name", "string(80)"),))
USER: Final = SObject("User", (Field("Username", "string(80)", unique=True),), without=("IsDeleted",))
MAPPINGS: Final = (Mapping(ACCOUNT), Mapping(CONTACT), Mapping(NOTE), Mapping(USER, read_only=True))


class World:
    """The add-on's connection `heroku`, its `org`, and an application's session `app` (base64, as any)."""

    def __init__(self, url: str, mappings: Sequence[Mapping] = MAPPINGS, **options: Any) -> None:
        self.url = url
        self.clock = Clock()
        self.org = SalesforceOrg("emea", clock=self.clock, rng=random.Random(1))
        self.heroku = self.connect(mappings, **options)
        self.heroku.install()
        self.app = psycopg.connect(url, autocommit=True, row_factory=dict_row)

    def connect(self, mappings: Sequence[Mapping] = MAPPINGS, **options: Any) -> Connection:
        """Another connection of the same add-on."""
        return Connection(
            self.url, "emea", mappings, org=self.org, clock=self.clock, rng=random.Random(2), **options
        )

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """What a query of the application returns."""
        return self.app.execute(query, parameters or None).fetchall()

    def row(self, query: str, *parameters: Any) -> dict[str, Any]:
        """The only row that a query returns."""
        (row,) = self.rows(query, *parameters)
        return row

    def account(self, ext_id: str = "x") -> dict[str, Any]:
        """The account with an external id."""
        return self.row("SELECT * FROM emea.account WHERE ext_id__c = %s", ext_id)

    def insert_account(self, ext_id: str = "x", name: str = "Ann") -> None:
        """An application makes an account."""
        self.app.execute("INSERT INTO emea.account (name, ext_id__c) VALUES (%s, %s)", [name, ext_id])

    def rename(self, name: str, ext_id: str = "x") -> None:
        """An application renames an account."""
        self.app.execute("UPDATE emea.account SET name = %s WHERE ext_id__c = %s", [name, ext_id])

    def log(self) -> list[tuple[str, str]]:
        """Action and state of the trigger log, oldest first."""
        return [(r["action"], r["state"]) for r in self.rows("SELECT * FROM emea._trigger_log ORDER BY id")]

    def archive(self) -> list[tuple[str, str]]:
        """Action and state of the archive, oldest first."""
        rows = self.rows("SELECT * FROM emea._trigger_log_archive ORDER BY id")
        return [(r["action"], r["state"]) for r in rows]

    @contextlib.contextmanager
    def watch_accounts(self) -> Iterator[Iterator[str]]:
        """Yields what becomes of accounts from now on, as it is committed: name and `_hc_lastop`."""
        with psycopg.connect(self.url, autocommit=True) as watcher:
            watcher.execute(
                """CREATE OR REPLACE FUNCTION public.told() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_notify('told', NEW.name || ' ' || NEW._hc_lastop); RETURN NULL; END $$;
                CREATE OR REPLACE TRIGGER told AFTER INSERT OR UPDATE ON emea.account
                FOR EACH ROW EXECUTE FUNCTION public.told();
                LISTEN told"""
            )
            with contextlib.closing(watcher.notifies(timeout=30)) as notices:
                yield (notice.payload for notice in notices)

    def close(self) -> None:
        """Give the sessions back."""
        self.app.close()
        self.heroku.close()
