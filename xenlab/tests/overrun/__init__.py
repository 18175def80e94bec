"""Overrun: slots of a paused guest's ring that netback takes although nobody offered them."""
