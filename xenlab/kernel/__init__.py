"""Kernels: what a domain needs of one, how to get at it, and whether it can do its part."""
