"""How a report words numbers and text of guests, so that neither can do harm in a page."""

from __future__ import annotations

from xenlab.plan.model import DOM0
from xenlab.report.plain_text import strip_escapes
from xenlab.topology.defaults import PEER

SHOWN_CHARS = 400


def clean(text: str, limit_chars: int = SHOWN_CHARS) -> str:
    """Plain text without escapes that any encoder takes, cut to so many characters."""
    plain = strip_escapes(text[: 4 * limit_chars]).encode("utf-8", "replace").decode()
    return plain if len(plain) <= limit_chars else f"{plain[: limit_chars - 1]}…"


def group_digits(number: int) -> str:
    """Such as `12 345`, with spaces that do not break."""
    return f"{number:,}".replace(",", "\u202f")


def say_size(size_bytes: int) -> str:
    """Such as `12 KiB`."""
    for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size_bytes >= size:
            return f"{size_bytes / size:.3g} {unit}"
    return f"{size_bytes} bytes"


def say_count(count: int, noun: str) -> str:
    """Such as `1 packet` or `1 061 packets`."""
    return f"{group_digits(count)} {noun}{'' if count == 1 else 's'}"


def say_node(name: str) -> str:
    """A node with its kind, where the name alone does not tell."""
    return name if name in {DOM0, PEER} else f"{name} (domU)"
