"""ConsoleLog: a marker is found once it is whole, however it came, and nothing is read twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xenlab.hypervisor.console import LOOK_BACK_BYTES, ConsoleLog

MARKER = b"xenlab: alice is ready"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alice.console.log"


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def test_console_that_does_not_exist_yet_is_silent(path: Path) -> None:
    console = ConsoleLog(path=path)
    assert (console.read(), console.has(MARKER), console.tail(5)) == (b"", False, ())


@pytest.mark.parametrize("cut", range(len(MARKER) + 1))
def test_marker_cut_in_two_reads_is_found(path: Path, cut: int) -> None:
    console = ConsoleLog(path=path)
    append(path, b"[    1.0] noise\r\n" + MARKER[:cut])
    assert console.has(MARKER) is (cut == len(MARKER))
    append(path, MARKER[cut:] + b"\r\n")
    assert console.has(MARKER)


@given(
    before=st.binary(max_size=100),
    pieces=st.lists(st.integers(min_value=1, max_value=8), min_size=30, max_size=30),
)
@settings(max_examples=50, deadline=None)
def test_marker_in_any_pieces_behind_any_bytes_is_found(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, pieces: list[int]
) -> None:
    path = tmp_path_factory.mktemp("console") / "log"
    console = ConsoleLog(path=path)
    append(path, before)
    found = console.has(MARKER)
    rest = MARKER
    for size in pieces:
        append(path, rest[:size])
        rest = rest[size:]
        found = console.has(MARKER) or found
    assert found


def test_marker_of_another_node_is_not_ours(path: Path) -> None:
    append(path, b"xenlab: alice2 is ready\r\nxenlab: alice is read\r\n")
    assert not ConsoleLog(path=path).has(MARKER)


@pytest.mark.parametrize(
    "inserted",
    [
        b"[    3.141592] xen_netback: loaded\r\n",
        b"(XEN) d1v0 RIP\r\n",
        b"[   1.000000] a\n(XEN) b\n",
    ],
)
@pytest.mark.parametrize("cut", range(1, len(MARKER)))
def test_marker_with_a_kernels_lines_in_it_is_found(path: Path, inserted: bytes, cut: int) -> None:
    console = ConsoleLog(path=path)
    append(path, b"\r\n" + MARKER[:cut] + inserted[:5])
    assert not console.has(MARKER)
    append(path, inserted[5:] + MARKER[cut:])
    assert console.has(MARKER)


def test_each_look_reads_little_of_what_it_has_seen(path: Path) -> None:
    console = ConsoleLog(path=path)
    append(path, b"x" * 2 * LOOK_BACK_BYTES)
    assert not console.has(MARKER)
    path.write_bytes(MARKER + b"x" * (2 * LOOK_BACK_BYTES - len(MARKER)))
    assert not console.has(MARKER)


def test_tail_is_the_last_lines_with_bad_bytes_replaced(path: Path) -> None:
    append(path, b"one\r\ntwo\xff\xfe\r\nthree")
    assert ConsoleLog(path=path).tail(2) == ("two\ufffd\ufffd", "three")


def test_tail_of_a_flood_is_short(path: Path) -> None:
    append(path, b"x" * 1_000_000)
    assert sum(map(len, ConsoleLog(path=path).tail(50))) < 10_000
