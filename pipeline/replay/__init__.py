"""Replay: past changes take effect again, from the queue, in order with what is live.

Nothing goes through Redis. A replay keeps the workers of its records' partitions out by the lock that each
apply transaction begins with (their row of `orgstream.lease`). Under it, it takes each record's changes from
the first one selected up to the last one committed, folds them into one write as apply does, and enters them
in the ledger. So no image of the past is written over a later one, and what is still on its way finds itself
in the ledger when it arrives.
"""
