"""Rx: a guest that does not run: its ring is filled exactly, then packets wait, expire, recover."""
