"""Verdicts become a table on the terminal, plain lines in a pipe, and a JSON document."""
