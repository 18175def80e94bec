"""The build id that a kernel shows of a loaded module, read from its ELF note."""

from __future__ import annotations

import pytest

from tests.unit.kernel.elf import pack_note
from xenlab.errors import LabError
from xenlab.guest.driver import parse_build_id

# /sys/module/xen_netfront/notes/.note.gnu.build-id of Linux 6.1.0-56-amd64 (6.1.192-2)
RECORDED = bytes.fromhex("040000001400000003000000474e5500403f0938d712184d6c665a13cc4f2e2b9b2c6212")


def test_build_id_is_what_stands_behind_its_owner() -> None:
    assert parse_build_id("bob", RECORDED) == "403f0938d712184d6c665a13cc4f2e2b9b2c6212"


@pytest.mark.parametrize(
    "note",
    [
        b"",
        RECORDED[:10],
        RECORDED[:-1],
        pack_note("GNU", 3, b""),
        pack_note("Xen", 3, b"\xff" * 20),
        b"\xff" * 36,
    ],
)
def test_what_is_no_build_id_is_an_error_of_the_lab(note: bytes) -> None:
    with pytest.raises(LabError, match="bob: the note of a loaded module is no build id"):
        parse_build_id("bob", note)
