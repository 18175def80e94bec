"""A trimmed kernel is smaller in the file and the same in memory."""

from __future__ import annotations

from io import BytesIO

import pytest
from elftools.elf.elffile import ELFFile

from tests.unit.kernel.elf import make_elf
from xenlab.errors import InputError
from xenlab.kernel.trimming import trim_elf

TEXT = bytes(range(1, 256)) * 33
BSS = bytes(1 << 20)


def memory_of(elf: bytes) -> list[bytes]:
    """What a loader puts into memory: the file's part of each segment, then zeros."""
    segments = [segment for segment in ELFFile(BytesIO(elf)).iter_segments() if segment["p_memsz"]]
    return [segment.data().ljust(segment["p_memsz"], b"\0") for segment in segments]


def test_trailing_zeros_go_from_the_file_and_stay_in_memory() -> None:
    elf = make_elf(loads=[TEXT + BSS], notes=[])

    trimmed = trim_elf(elf, "vmlinux")

    assert memory_of(trimmed) == memory_of(elf)
    assert len(trimmed) < len(TEXT) + 8192


def test_segment_behind_the_zeros_is_kept_whole() -> None:
    elf = make_elf(loads=[TEXT + BSS, TEXT])

    assert memory_of(trim_elf(elf, "vmlinux")) == memory_of(elf)


def test_trimming_again_changes_nothing() -> None:
    trimmed = trim_elf(make_elf(loads=[TEXT, TEXT + BSS]), "vmlinux")

    assert trim_elf(trimmed, "vmlinux") == trimmed


def test_file_that_ends_before_its_segments_is_refused_by_name() -> None:
    elf = make_elf(loads=[TEXT, TEXT])
    end = elf.rindex(TEXT) + len(TEXT)

    assert memory_of(trim_elf(elf[:end], "boot/vmlinux")) == memory_of(elf)
    with pytest.raises(InputError, match="boot/vmlinux: cut short"):
        trim_elf(elf[: end - 1], "boot/vmlinux")
