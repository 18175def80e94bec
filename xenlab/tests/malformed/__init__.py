"""Malformed: packets that do not keep to the ring protocol, and what netback makes of them."""
