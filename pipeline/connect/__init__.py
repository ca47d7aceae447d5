"""A stand-in for Heroku Connect, with a simulated Salesforce org behind it: see docs/connect.md."""

from __future__ import annotations

from pipeline.connect.connection import Connection, NotSettled
from pipeline.connect.field import Field, Row, Value
from pipeline.connect.loop import run
from pipeline.connect.org import SalesforceOrg
from pipeline.connect.plan import Algorithm
from pipeline.connect.refusal import Refused
from pipeline.connect.sobject import Mapping, SObject
from pipeline.connect.store import Polled

__all__ = [
    "Algorithm",
    "Connection",
    "Field",
    "Mapping",
    "NotSettled",
    "Polled",
    "Refused",
    "Row",
    "SObject",
    "SalesforceOrg",
    "Value",
    "run",
]
