"""Nothing that a guest says moves the cursor, sets a title or reaches the clipboard."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenlab.report.plain_text import EscapeFilter, strip_escapes

# xterm, ctlseqs: clipboard, title, cursor, alternate screen, colour, device status, 8-bit forms.
HOSTILE = {
    "\x1b]52;c;cm0gLXJm\x07": "",
    "\x1b]0;title\x1b\\after": "after",
    "a\x1b[2Jb": "ab",
    "\x1b[?1049hx": "x",
    "\x1b[1;31mred\x1b[0m": "red",
    "\x1b[6n": "",
    "\x9b31mred": "red",
    "\x9d0;title\x9cafter": "after",
    "\x1bPdcs\x1b\\after": "after",
    "\x1b(0line": "line",
    "beep\x07 back\b\x7f": "beep back",
    "one\r\ntwo\tthree": "one\ntwo\tthree",
    "\u202egnp.exe": "\ufffdgnp.exe",
    "[31m is only text": "[31m is only text",
}


@pytest.mark.parametrize(("said", "shown"), HOSTILE.items())
def test_escapes_are_gone_and_text_stays(said: str, shown: str) -> None:
    assert strip_escapes(said) == shown


@pytest.mark.parametrize(("said", "shown"), HOSTILE.items())
def test_the_same_comes_out_byte_by_byte(said: str, shown: str) -> None:
    plain = EscapeFilter()
    pieces = [plain.feed(bytes([byte])) for byte in said.encode()]

    assert "".join([*pieces, plain.feed(b"", final=True)]) == shown


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_no_control_character_comes_out_whatever_goes_in(chunks: list[bytes]) -> None:
    plain = EscapeFilter()
    shown = "".join([*(plain.feed(chunk) for chunk in chunks), plain.feed(b"", final=True)])

    assert [
        char for char in shown if unicodedata.category(char) == "Cc" and char not in "\n\t"
    ] == []


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_plain_text_passes_whole(text: str) -> None:
    assert strip_escapes(text) == text


def test_prompt_without_an_end_of_line_is_not_held_back() -> None:
    assert EscapeFilter().feed(b"login: ") == "login: "


def test_string_that_never_ends_does_not_swallow_the_console() -> None:
    plain = EscapeFilter()
    plain.feed(b"\x1b]0;" + b"x" * 1000)

    assert plain.feed(b"\n(XEN) Panic\n") == "\n(XEN) Panic\n"
