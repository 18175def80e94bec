"""Fraglist: the penalty that dom0 pays for one slot too many, and the silent loss behind it."""
