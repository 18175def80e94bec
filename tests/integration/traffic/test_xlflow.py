"""xlflow itself: its payload, how it knows its datagrams, and what it refuses."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from xenlab.waiting import Deadline, wait_until

GAMMA = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1
PORT = 20100
ADDRESS = ("127.0.0.1", PORT)
SEED = 7


def mix(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def payload(index: int, size_bytes: int) -> bytes:
    """The payload by its definition in payload.c, written a second time."""
    key = mix((SEED + (index + 1) * GAMMA) & MASK)
    words = (mix((key + (k + 1) * GAMMA) & MASK) for k in range(size_bytes // 8 + 1))
    return b"".join(struct.pack("<Q", word) for word in words)[:size_bytes]


@contextmanager
def receiving(
    programs: Path, transport: str, sizes: str, *more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """An xlflow that waits for one flow on the loopback, or for more of them."""
    flow = f"{transport}@127.0.0.1@{PORT}@{SEED}@{sizes}"
    argv = [str(programs / "xlflow"), "recv", "--nonce", "ab+cd", "--timeout-ms", "5000",
            "--idle-ms", "100", flow, *more]  # fmt: skip
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as receiver:
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == b"READY abcd\n"
        yield receiver


def speaks(receiver: subprocess.Popen[bytes], within_s: float) -> bool:
    """Whether it says anything, or ends."""
    assert receiver.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(receiver.stdout, selectors.EVENT_READ)
        return bool(selector.select(within_s))


def received(programs: Path, sizes: str, *datagrams: bytes) -> dict[str, object]:
    """What a receiver says of these datagrams."""
    with (
        receiving(programs, "udp", sizes) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        for datagram in datagrams:
            sender.sendto(datagram, ADDRESS)
        receiver.send_signal(signal.SIGUSR1)
        stdout, _ = receiver.communicate(timeout=10)
    answer: dict[str, object] = json.loads(stdout)
    return answer


def counts(answer: dict[str, object]) -> dict[str, object]:
    names = ("intact", "corrupt", "truncated", "missing", "duplicates", "foreign", "reordered")
    return {name: answer[name] for name in names if answer[name]}


def flipped(datagram: bytes, offset: int) -> bytes:
    return datagram[:offset] + bytes([datagram[offset] ^ 0xFF]) + datagram[offset + 1 :]


def test_payload_is_what_its_definition_says(programs: Path) -> None:
    sizes = (1, 7, 8, 9, 1472, 65507)
    answer = received(programs, ",".join(map(str, sizes)), *map(payload, range(6), sizes))
    assert counts(answer) == {"intact": 6}
    assert answer["ended"] == "complete"


@pytest.mark.parametrize(
    ("sizes", "meant"),
    [
        ("5", [5]),
        ("3-5", [3, 4, 5]),
        ("10-20:5", [10, 15, 20]),
        ("2x3", [2, 2, 2]),
        ("1-2x2,9", [1, 2, 1, 2, 9]),
    ],
)
def test_sizes_are_written_as_lists_ranges_and_repeats(
    programs: Path, sizes: str, meant: list[int]
) -> None:
    answer = received(programs, sizes, *map(payload, range(len(meant)), meant))
    assert counts(answer) == {"intact": len(meant)}


def test_flipped_byte_is_corrupt_at_its_offset(programs: Path) -> None:
    good = [payload(index, 1000) for index in range(4)]
    good[2] = flipped(flipped(good[2], 500), 700)
    answer = received(programs, "1000x4", *good)
    assert counts(answer) == {"intact": 3, "corrupt": 1}
    assert answer["examples"] == [
        {
            "kind": "corrupt",
            "index": 2,
            "expected_bytes": 1000,
            "got_bytes": 1000,
            "first_bad_offset": 500,
            "bad_bytes": 2,
        }
    ]


def test_beginning_of_a_datagram_is_truncated(programs: Path) -> None:
    answer = received(programs, "1000x2", payload(0, 1000), payload(1, 1000)[:900])
    assert counts(answer) == {"intact": 1, "truncated": 1}


def test_datagram_that_comes_twice_is_a_duplicate_even_behind_the_last(programs: Path) -> None:
    first, second = payload(0, 100), payload(1, 200)
    answer = received(programs, "100,200", first, first, second, second)
    assert counts(answer) == {"intact": 2, "duplicates": 2}


def test_datagram_behind_a_later_one_is_reordered(programs: Path) -> None:
    answer = received(programs, "100x3", payload(1, 100), payload(0, 100), payload(2, 100))
    assert counts(answer) == {"intact": 3, "reordered": 1}


@pytest.mark.parametrize(
    ("arrival", "reordered"), [((1, 3, 0, 2), 0), ((3, 1, 0, 2), 1), ((0, 2, 1, 3), 0)]
)
def test_fragmented_datagrams_are_in_order_for_themselves_where_they_have_a_way_of_their_own(
    programs: Path, arrival: tuple[int, ...], reordered: int
) -> None:
    sizes = (1473, 1472, 2000, 100)
    spec = ",".join(map(str, sizes))
    with (
        receiving(programs, "udp", spec, "--apart-mtu", "1500") as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        for index in arrival:
            sender.sendto(payload(index, sizes[index]), ADDRESS)
        stdout, _ = receiver.communicate(timeout=10)
    assert json.loads(stdout)["reordered"] == reordered


def test_missing_datagram_is_named_after_the_idle_time(programs: Path) -> None:
    answer = received(programs, "100x3", payload(0, 100), payload(2, 100))
    assert counts(answer) == {"intact": 2, "missing": 1}
    assert answer["missing_indexes"] == [1]
    assert answer["ended"] == "idle"


def test_receiver_waits_for_a_sender_that_has_not_ended_however_long_it_is_silent(
    programs: Path,
) -> None:
    with (
        receiving(programs, "udp", "100x2") as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        sender.sendto(payload(0, 100), ADDRESS)
        assert not speaks(receiver, within_s=0.5)  # five times what it waits behind the end
        sender.sendto(payload(1, 100), ADDRESS)
        stdout, _ = receiver.communicate(timeout=10)
    assert json.loads(stdout)["ended"] == "complete"


def test_time_in_which_the_machine_stands_still_is_no_silence(programs: Path) -> None:
    with (
        receiving(programs, "udp", "100x2", "--idle-ms", "1000") as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        sender.sendto(payload(0, 100), ADDRESS)
        receiver.send_signal(signal.SIGUSR1)
        os.killpg(receiver.pid, signal.SIGSTOP)
        assert not speaks(receiver, within_s=1.5)
        os.killpg(receiver.pid, signal.SIGCONT)
        assert not speaks(receiver, within_s=0.2)
        sender.sendto(payload(1, 100), ADDRESS)
        stdout, _ = receiver.communicate(timeout=10)
    assert json.loads(stdout)["ended"] == "complete"


def test_flow_with_a_loss_keeps_no_other_from_being_read(programs: Path) -> None:
    """More than the buffers of both sockets hold: nobody could send it to who does not read."""
    size_bytes = 64_000_000
    stream = f"tcp@127.0.0.1@{PORT + 1}@{SEED}@{size_bytes // 64}x64"
    with receiving(programs, "udp", "100", stream) as receiver:
        with socket.create_connection((ADDRESS[0], PORT + 1)) as sender:
            sender.sendall(bytes(size_bytes))
        receiver.send_signal(signal.SIGUSR1)
        stdout, _ = receiver.communicate(timeout=10)
    lost, read = map(json.loads, stdout.splitlines())
    assert (lost["ended"], lost["missing"]) == ("idle", 1)
    assert (read["ended"], read["received"]) == ("complete", size_bytes)


def test_readers_end_with_their_program(programs: Path) -> None:
    with receiving(programs, "udp", "100") as receiver:
        receiver.kill()
        receiver.wait(timeout=10)
    # Each reader has the socket too: the address is free when the last of them has ended.
    wait_until(is_free, "the address of readers without a program", Deadline.after(10.0))


def is_free() -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker:
        try:
            taker.bind(ADDRESS)
        except OSError:
            return False
        return True


def test_datagram_of_somebody_else_is_foreign(programs: Path) -> None:
    answer = received(programs, "100,200", payload(0, 100), b"who is there?" * 40, payload(1, 200))
    assert counts(answer) == {"intact": 2, "foreign": 1}


def test_receiver_without_a_packet_ends_by_its_timeout(programs: Path) -> None:
    with receiving(programs, "udp", "100", "--timeout-ms", "200") as receiver:
        stdout, _ = receiver.communicate(timeout=10)
    assert json.loads(stdout)["ended"] == "timeout"


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (payload(0, 3000), {"received": 3000, "bad_bytes": 0, "first_bad_offset": -1}),
        (
            flipped(payload(0, 3000), 1234),
            {"received": 3000, "bad_bytes": 1, "first_bad_offset": 1234},
        ),
        (payload(0, 2000), {"received": 2000, "bad_bytes": 0, "first_bad_offset": -1}),
    ],
)
def test_stream_is_compared_byte_by_byte(
    programs: Path, stream: bytes, said: dict[str, int]
) -> None:
    with receiving(programs, "tcp", "1000x3") as receiver:
        with socket.create_connection(ADDRESS) as sender:
            sender.sendall(stream)
        stdout, _ = receiver.communicate(timeout=10)
    answer = json.loads(stdout)
    assert answer["expected"] == 3000
    assert {name: answer[name] for name in said} == said
    assert answer["ended"] == "complete"


def test_sender_says_what_the_socket_refused(programs: Path) -> None:
    flow = f"tcp@127.0.0.1@{PORT}@{SEED}@100"
    sent = subprocess.run(
        [programs / "xlflow", "send", flow], stdout=subprocess.PIPE, check=True, timeout=10
    )
    answer = json.loads(sent.stdout)
    assert (answer["ended"], answer["errors"]) == ("ECONNREFUSED", {"ECONNREFUSED": 1})


def test_error_of_an_earlier_datagram_keeps_no_later_one_from_being_sent(programs: Path) -> None:
    flow = f"udp@127.0.0.1@{PORT}@{SEED}@100x5"
    sent = subprocess.run(
        [programs / "xlflow", "send", flow], stdout=subprocess.PIPE, check=True, timeout=10
    )
    answer = json.loads(sent.stdout)
    assert (answer["sent"], answer["errors"]) == (5, {"ECONNREFUSED": 4})


# A device whose neighbour never answers keeps all that is sent to it, and so the sender's buffer.
KEEPING = """
ip link add here type veth peer name there
ip address add 10.9.9.1/24 dev here
ip link set here up
ip link set there up
echo 100000000 >/proc/sys/net/ipv4/neigh/here/unres_qlen_bytes
echo 1000 >/proc/sys/net/ipv4/neigh/here/mcast_solicit
exec "$@"
"""


def test_sender_without_room_in_its_buffer_ends_by_its_timeout(programs: Path) -> None:
    flow = f"udp@10.9.9.2@{PORT}@{SEED}@1400x1000"
    space = ["unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-e", "-c", KEEPING]
    argv = [*space, "sh", str(programs / "xlflow"), "send", "--timeout-ms", "300", flow]
    sent = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=10)
    answer = json.loads(sent.stdout)
    assert (answer["ended"], answer["errors"]) == ("blocked", {})
    assert 0 < answer["sent"] < 1000


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["recv"],
        ["counters", "more"],
        ["read"],
        ["read", "--counters", "/proc/version"],
        ["send", "udp@127.0.0.1@5000@1"],
        ["send", "udp@127.0.0.1@5000@1@1@1"],
        ["send", "sctp@127.0.0.1@5000@1@1"],
        ["send", "udp@localhost@5000@1@1"],
        ["send", "udp@127.0.0.1@65536@1@1"],
        ["send", "udp@127.0.0.1@5000@-1@1"],
        ["send", "udp@127.0.0.1@5000@1@0"],
        ["send", "udp@127.0.0.1@5000@1@65508"],
        ["send", "udp@127.0.0.1@5000@1@5-3"],
        ["send", "udp@127.0.0.1@5000@1@1,"],
        ["send", "udp@127.0.0.1@5000@1@1x99999"],
        ["send", "--timeout-ms", "soon", "udp@127.0.0.1@5000@1@1"],
        ["send", "--nonsense", "udp@127.0.0.1@5000@1@1"],
    ],
)
def test_words_that_are_no_command_are_refused(programs: Path, arguments: list[str]) -> None:
    refused = subprocess.run(
        [programs / "xlflow", *arguments], capture_output=True, check=False, timeout=10
    )
    assert refused.returncode == 2
    assert refused.stderr
    assert not refused.stdout
