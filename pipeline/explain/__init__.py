"""Explaining a rule by one real record: each step's input and output, and the statement that would run."""

from __future__ import annotations
