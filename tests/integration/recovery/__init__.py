"""Dead letters settled in every way, and past changes replayed."""
