"""Tests of the simulated Salesforce org."""

from __future__ import annotations
