"""Tests of Orgstream: unit, property, contract, integration, acceptance."""

from __future__ import annotations
