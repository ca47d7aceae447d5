"""The long-running processes, put together from their parts: the only place where everything meets."""

from __future__ import annotations
