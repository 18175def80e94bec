"""How messages show text that came from a user's file, and guess what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHOWN_CHARS = 60
# No name of xenlab is longer, and difflib's cost grows with the square of the length.
GUESSED_CHARS = 64


def quote(text: object) -> str:
    """`text` in backquotes, cut short, with everything but printable ASCII escaped.

    A topology may come from anywhere: no escape sequence and no right-to-left text of it
    reaches the terminal.
    """
    if text is None:
        return "an empty value"
    cut = str(text).lower() if isinstance(text, bool) else str(text)
    if len(cut) > SHOWN_CHARS:
        cut = cut[:SHOWN_CHARS] + "..."
    return f"`{escape(cut)}`"


def escape(text: str) -> str:
    """`text` with everything but printable ASCII as backslash escapes."""
    return "".join(
        char
        if char.isascii() and char.isprintable()
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean `x`?` if `word` looks like one of `known`, else an empty string."""
    if len(word) > GUESSED_CHARS:
        return ""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.55)
    return f"; did you mean {quote(close[0])}?" if close else ""


def list_names(names: Iterable[str]) -> str:
    """Names of ours as `a`, `b`, `c` for the end of a message."""
    return ", ".join(quote(name) for name in names) or "none"
