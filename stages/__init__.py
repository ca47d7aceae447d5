"""What is done to a change: pure functions and their types. No I/O, no clock, no randomness.

A change passes four stages: `filter`, `match`, `transform`, `apply`. Each is a function from a batch to one
outcome per item. Nothing here imports from `pipeline`; a test keeps it so.
"""

from __future__ import annotations
