"""Tests of the Heroku Connect stand-in, against a real Postgres."""

from __future__ import annotations
