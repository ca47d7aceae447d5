"""What each port promises, asked of the adapter on a real server and of the one in memory alike."""

from __future__ import annotations
