"""The scenarios of docs/scenarios.md, each as a test at the level of what a user sees."""

from __future__ import annotations
