"""What `orgstream web` serves: everyone's metrics, and the status as JSON."""

from __future__ import annotations
