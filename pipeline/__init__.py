"""How a change is carried: the relay, the workers, and the adapters to Postgres and Redis.

Read `pipeline.topology` first. What is done to a change on the way lies in `stages`.
"""

from __future__ import annotations
