"""The build id among the notes that a running kernel shows: found whole, or not at all."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.kernel.elf import Note, make_elf, pack_note
from xenlab.kernel.notes import find_build_id, read_notes

# The notes of Linux 6.1.0-57-amd64 (6.1.192-3), as they lie in its vmlinux
RECORDED = bytes.fromhex(
    "04000000060000000600000058656e006c696e757800000004000000040000000700000058656e00322e3600"
    "04000000080000000500000058656e0078656e2d332e300004000000080000000300000058656e0000000080"
    "ffffffff04000000080000000f00000058656e00000000008000000004000000080000000100000058656e00"
    "c0910783ffffffff04000000290000000a00000058656e00217772697461626c655f706167655f7461626c65"
    "737c7061655f70676469725f61626f76655f34676200000004000000040000001100000058656e0001880000"
    "04000000040000000900000058656e007965730004000000080000000800000058656e0067656e6572696300"
    "04000000100000000d00000058656e000100000000000000010000000000000004000000040000000e000000"
    "58656e000100000004000000040000001000000058656e000100000004000000080000000c00000058656e00"
    "000000000080ffff04000000080000000400000058656e000000000000000000040000001400000003000000"
    "474e55006a2b4ac77585b8cf102cba771300e573c8489b690600000004000000010100004c696e7578000000"
    "00000000060000000f000000000100004c696e7578000000362e312e302d35372d616d643634000004000000"
    "080000001200000058656e005008000100000000"
)
BUILD_ID = "6a2b4ac77585b8cf102cba771300e573c8489b69"
OTHERS: st.SearchStrategy[Note] = st.tuples(
    st.sampled_from(["Xen", "Linux", "GN"]), st.integers(0, 0x102), st.binary(max_size=50)
)


def pack(*notes: Note) -> bytes:
    return b"".join(pack_note(*note) for note in notes)


def test_build_id_is_found_among_the_notes_of_a_kernel() -> None:
    assert find_build_id(RECORDED) == BUILD_ID


@given(before=st.lists(OTHERS), after=st.lists(OTHERS), told=st.binary(min_size=1, max_size=32))
def test_build_id_is_found_wherever_it_stands(
    before: list[Note], after: list[Note], told: bytes
) -> None:
    assert find_build_id(pack(*before, ("GNU", 3, told), *after)) == told.hex()


@given(notes=st.lists(OTHERS))
def test_notes_without_one_have_none(notes: list[Note]) -> None:
    assert find_build_id(pack(*notes)) == ""
    assert find_build_id(pack(*notes, ("GNU", 1, bytes(16)))) == ""


def test_it_is_the_one_that_was_read_from_the_file_of_the_same_kernel() -> None:
    notes: list[Note] = [("Xen", 18, bytes(8)), ("GNU", 3, bytes(range(20))), ("Linux", 256, b"x")]

    assert find_build_id(pack(*notes)) == read_notes(make_elf(notes=notes), "vmlinux").build_id


@pytest.mark.parametrize(
    "size_bytes", [1, 11, 12, 16, RECORDED.index(bytes.fromhex(BUILD_ID)) + 19]
)
def test_notes_that_are_cut_short_are_not_believed(size_bytes: int) -> None:
    with pytest.raises(ValueError, match="cut short"):
        find_build_id(RECORDED[:size_bytes])


@given(notes=st.binary(max_size=200))
def test_anything_else_is_no_build_id_or_an_error(notes: bytes) -> None:
    with suppress(ValueError):
        found = find_build_id(notes)
        assert bytes.fromhex(found) in notes
        assert not found or b"GNU\0" in notes
