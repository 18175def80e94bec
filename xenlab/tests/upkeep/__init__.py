"""Upkeep: what is no packet's fate: rate limits, pages that go back, events, multicast."""
