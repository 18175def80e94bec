"""Soak: rounds of random layouts, flows and settings, for as long as one likes."""
