"""Slots: packets of exactly known layout meet exactly the fate that the slot model says."""
