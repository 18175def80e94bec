"""Debian packages: what a request means in the archives that the host knows, fetched once."""
