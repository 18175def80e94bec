"""Where a key stands in a TOML file, however it is written."""

from __future__ import annotations

import pytest

from xenlab.cli.toml_place import find_place


@pytest.mark.parametrize(
    ("text", "keys", "place"),
    [
        ("a = 1\n", ("a",), "1:1"),
        ("# b\n\n  b = 1\n", ("b",), "3:3"),
        ("[up]\na = 1\n[test]\na = 1\n", ("test", "a"), "4:1"),
        ("[up]\na = 1\n[test]\na = 1\n", ("test",), "3:2"),
        ("[images.build]\nx = 1\n", ("images", "build", "x"), "2:1"),
        ("up.a-b = 1\nup.a = 2\n", ("up", "a"), "2:4"),
        ("up = {b = 1, a = 2}\n", ("up", "a"), "1:14"),
        ('a = """\nb = 1\n"""\nb = [\n1,\n]\n', ("b",), "4:1"),
        ('"\\u0061" = 1\n', ("a",), "1:1"),
    ],
)
def test_key_is_found_where_it_stands(text: str, keys: tuple[str, ...], place: str) -> None:
    assert find_place(text, keys) == place
