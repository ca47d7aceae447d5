"""The pipeline as a state machine: real relay and workers over the ports in memory, and every fault."""

from __future__ import annotations
