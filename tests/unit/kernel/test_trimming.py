"""A trimmed kernel is smaller in the file and the same in memory."""

from __future__ import annotations

from io import BytesIO

from elftools.elf.elffile import ELFFile

from tests.unit.kernel.elf import make_elf
from xenlab.kernel.trimming import trim_elf

TEXT = bytes(range(1, 256)) * 33
BSS = bytes(1 << 20)


def memory_of(elf: bytes) -> list[bytes]:
    """What a loader puts into memory: the file's part of each segment, then zeros."""
    segments = [segment for segment in ELFFile(BytesIO(elf)).iter_segments() if segment["p_memsz"]]
    return [segment.data().ljust(segment["p_memsz"], b"\0") for segment in segments]


def test_trailing_zeros_go_from_the_file_and_stay_in_memory() -> None:
    elf = make_elf(loads=[TEXT + BSS], notes=[])

    trimmed = trim_elf(elf)

    assert memory_of(trimmed) == memory_of(elf)
    assert len(trimmed) < len(TEXT) + 8192


def test_segment_behind_the_zeros_is_kept_whole() -> None:
    elf = make_elf(loads=[TEXT + BSS, TEXT])

    assert memory_of(trim_elf(elf)) == memory_of(elf)


def test_trimming_again_changes_nothing() -> None:
    trimmed = trim_elf(make_elf(loads=[TEXT, TEXT + BSS]))

    assert trim_elf(trimmed) == trimmed
