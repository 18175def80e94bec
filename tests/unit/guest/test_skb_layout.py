"""The offset of a struct's member in type information that is built here, form by form."""

from __future__ import annotations

from struct import pack

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.skb_layout import HEADER, MAGIC, parse_users_offset

STRINGS = b"\0int\0sk_buff\0users\0list\0"
INT, FUNC_PROTO, ENUM, STRUCT = 1, 13, 6, 4


def info(kind: int, count: int = 0) -> int:
    return kind << 24 | count


def build(member: int, magic: int = MAGIC) -> bytes:
    """Types of several lengths before the struct, whose second member bears the name given."""
    types = pack("<III", 1, info(INT), 4) + pack("<I", 32)
    types += pack("<III", 0, info(FUNC_PROTO, 2), 1) + pack("<IIII", 0, 1, 0, 1)
    types += pack("<III", 1, info(ENUM, 1), 4) + pack("<II", 1, 7)
    types += pack("<III", STRINGS.index(b"list"), info(STRUCT, 1), 4) + pack("<III", member, 1, 0)
    types += pack("<III", STRINGS.index(b"sk_buff"), info(STRUCT, 2), 232)
    types += pack("<III", 1, 1, 0) + pack("<III", member, 1, 220 * 8)
    head = HEADER.pack(magic, 1, 0, HEADER.size, 0, len(types), len(types), len(STRINGS))
    return head + types + STRINGS


def test_offset_is_that_of_the_member_of_this_struct_and_no_other() -> None:
    assert parse_users_offset(build(STRINGS.index(b"users"))) == 220


@pytest.mark.parametrize(
    "content",
    [
        build(STRINGS.index(b"list")),
        build(STRINGS.index(b"users"), magic=0x1234),
        build(STRINGS.index(b"users"))[:80],
        b"",
    ],
)
def test_type_information_without_it_says_so(content: bytes) -> None:
    with pytest.raises(MeasurementError, match="vmlinux"):
        parse_users_offset(content)
