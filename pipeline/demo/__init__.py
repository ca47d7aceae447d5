"""The demo: simulated orgs, users at work in all of them, the real pipeline, and a proof of what it did."""

from __future__ import annotations
