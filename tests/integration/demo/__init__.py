"""Tests of the demo's proof: what is planted must be found."""

from __future__ import annotations
