"""The cache: what was fetched or built, whole or not at all, and checked on use."""
