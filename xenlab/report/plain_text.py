"""Plain text of what guests say: none of it moves the cursor, sets a title or fills a clipboard."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

# CSI, then strings (OSC, DCS, SOS, PM, APC) with their end or without, then two-character escapes:
# ECMA-48, 5.4 and 5.6. Then all control characters but tab and newline.
ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
# Text that overrides the direction of what follows can hide what was really said.
DIRECTIONS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
UNFINISHED = re.compile(r"(?:\x1b|[\x90\x98\x9b\x9d-\x9f])[^\x07\n\x1b]{0,256}\Z")


def strip_escapes(text: str) -> str:
    """The text without terminal escapes and control characters; newlines and tabs stay."""
    return DIRECTIONS.sub("\ufffd", ESCAPES.sub("", text))


@dataclass(slots=True)
class EscapeFilter:
    """The same for a stream in pieces of any size: what a piece leaves open waits for the next."""

    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")(errors="replace")
    )
    _open: str = ""

    def feed(self, chunk: bytes, *, final: bool = False) -> str:
        """The plain text of what has come so far and was not returned yet."""
        text = self._open + self._decoder.decode(chunk, final)
        unfinished = None if final else UNFINISHED.search(text)
        cut = len(text)
        if unfinished and ESCAPES.fullmatch(text, unfinished.start()):
            cut = unfinished.start()
        self._open = text[cut:]
        return strip_escapes(text[:cut])
