"""Saved labs: a machine's memory with all that belongs to it, keyed by all that went into it."""
