"""What the demo and the prover share: what a finding is, how it is told, seeded chance, and their folder."""

from __future__ import annotations
