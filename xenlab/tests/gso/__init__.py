"""Gso: limits, offloads and MTUs of both ends: traffic stays whole, and each setting shows."""
