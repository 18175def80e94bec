"""Nomem: allocations of the drivers that fail: what is lost then, and that it is all."""
