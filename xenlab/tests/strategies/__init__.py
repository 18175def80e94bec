"""Strategies: the remedies for packets of many slots, side by side with the default."""
