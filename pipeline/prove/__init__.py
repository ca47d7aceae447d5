"""The prover: writers at work on hot records, faults at random, and a history that judges every effect."""

from __future__ import annotations
