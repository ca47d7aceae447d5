"""Tests of the prover's own judgement, without servers."""

from __future__ import annotations
