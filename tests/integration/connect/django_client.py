"""A program of its own that speaks to the stand-in only through django-heroku-connect.

    python -m tests.integration.connect.django_client SCENARIO DATABASE

DATABASE is Django's settings of the database as JSON; the scenario's findings are printed as JSON. Django
and the package keep global settings, so they do not run inside the tests' own process.
"""

from __future__ import annotations

import http.server
import json
import sys
import threading
from typing import Any

# Django prefers psycopg 3 where it is installed; the package composes its queries with psycopg 2.
sys.modules["psycopg"] = None  # type: ignore[assignment]

import django  # type: ignore[import-untyped]  # noqa: E402
from django.conf import settings  # type: ignore[import-untyped]  # noqa: E402


class ConnectApi(http.server.BaseHTTPRequestHandler):
    """The one answer of Heroku Connect's own API that the package asks for: which write algorithm is on."""

    ordered = True

    def do_GET(self) -> None:
        body = json.dumps({"results": [{"id": "1", "features": {"poll_db_no_merge": self.ordered}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep stderr for failures."""


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ConnectApi)
threading.Thread(target=server.serve_forever, daemon=True).start()
database = {"ENGINE": "heroku_connect.db.backends.postgresql", "OPTIONS": {}}
settings.configure(
    DATABASES={"default": database | json.loads(sys.argv[2])},
    INSTALLED_APPS=["heroku_connect"],
    HEROKU_CONNECT_SCHEMA="emea",
    HEROKU_CONNECT_API_ENDPOINT=f"http://127.0.0.1:{server.server_port}",
    HEROKU_CONNECT_APP_NAME="staging",
    HEROKU_AUTH_TOKEN="",  # nobody checks it here
    USE_TZ=True,
)
django.setup()

# Only now: their models read the settings when they are imported.
from heroku_connect.db import models as hc  # type: ignore[import-untyped]  # noqa: E402
from heroku_connect.models import TriggerLog, TriggerLogArchive  # type: ignore[import-untyped]  # noqa: E402


class Account(hc.HerokuConnectModel):  # type: ignore[misc]
    """The mapped table as a model of the package."""

    sf_object_name = "Account"
    sf_access = hc.READ_WRITE
    name = hc.Text(sf_field_name="Name", max_length=80)
    ext_id = hc.Text(sf_field_name="Ext_Id__c", max_length=40, upsert=True)
    amount = hc.Currency(sf_field_name="Amount__c", max_digits=18, decimal_places=2)
    seen_at = hc.DateTime(sf_field_name="Seen_At__c")

    class Meta:
        app_label = "staging"


def told(entry: Any) -> dict[str, Any]:
    values = entry.values_as_dict if entry.values is not None else None
    return {"action": entry.action, "state": entry.state, "values": values, "message": entry.sf_message}


def read() -> Any:
    """Every entry, live and archived, with what the models make of it."""
    return {
        "live": [told(entry) for entry in TriggerLog.objects.all()],
        "archive": [told(entry) for entry in TriggerLogArchive.objects.all()],
        "failed": [entry.sf_message for entry in TriggerLogArchive.objects.failed()],
        "text": str(TriggerLogArchive.objects.latest()),
        "model": [entry.get_model().name for entry in TriggerLogArchive.objects.all()],
        "checks": [str(fault) for fault in Account.check()],
    }


def related() -> Any:
    """How many entries belong to each account, and how many besides the first."""
    firsts = [TriggerLog.objects.filter(record_id=row.id).first() for row in Account.objects.order_by("id")]
    return [(first.related().count(), first.related(exclude_self=True).count()) for first in firsts]


def write() -> Any:
    """Make, change and remove rows through the ORM."""
    made = Account.objects.create(name="From Django", ext_id="dj", amount="12.34")
    made.name = "Changed by Django"
    made.save()
    Account.objects.filter(ext_id="x").delete()
    return {"amount": float(Account.objects.get(ext_id="dj").amount)}


def capture() -> Any:
    """Capture the first archived entry's row again: whole, with one field, and as an update of everything."""
    entry = TriggerLogArchive.objects.first()
    captured = entry.capture_insert() + entry.capture_update(update_fields=["name"])
    captured += entry.capture_update(update_columns=["name", "amount__c"])
    return [told(one) for one in captured]


def redo() -> None:
    """Redo every failed entry of the archive."""
    for entry in TriggerLogArchive.objects.failed():
        entry.redo()


def redo_merged() -> None:
    """The same where the add-on says that it merges writes."""
    ConnectApi.ordered = False
    redo()


def redo_live() -> None:
    """Redo what an administrator left in the live log."""
    ConnectApi.ordered = False
    for entry in TriggerLog.objects.all():
        entry.redo()


SCENARIOS = {
    "read": read,
    "related": related,
    "write": write,
    "capture": capture,
    "redo": redo,
    "redo-merged": redo_merged,
    "redo-live": redo_live,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(SCENARIOS[sys.argv[1]]()))
