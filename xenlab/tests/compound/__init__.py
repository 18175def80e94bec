"""Compound pages: every order, every sender, with and without memory in one piece."""
