"""Rules as code: read from files, checked against the database, planned, applied, stored and cached."""

from __future__ import annotations
