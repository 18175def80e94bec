"""The module's own headers, compiled here: C and Python say the same of every byte."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.unit.traffic.composer.flows import FLOW, PAGED, PLAIN
from xenlab.kernel.shelf import find_module
from xenlab.traffic.composer import wire
from xenlab.traffic.composer.batch import Batch, Order, Way
from xenlab.traffic.composer.payload import MARK_MAGIC, build_pattern
from xenlab.traffic.composer.receiver import Post
from xenlab.traffic.composer.wire import ArrivalFlag, End, Mode, Op, Plant, SentFlag

SEEDS = ((0, 0), (1, 7), (2**64 - 1, 2**64 - 1), (0x0123456789ABCDEF, 2**40 + 77))
PATTERN_BYTES = 700
# Every alignment, and around each step of the loops: 8, 32 and 64 bytes.
LENGTHS = (0, 1, 7, 8, 9, 15, 16, 31, 32, 33, 63, 64, 65, 71, 72, 127, 128, 200)

SOURCE = Path(__file__).with_name("composer_source.c")
BATCH_SOURCE = Path(__file__).with_name("composer_batch.c")
# What the module's headers want of the kernel, which the source above says by itself.
KERNEL_HEADERS = ("etherdevice.h", "list.h", "netdevice.h", "skbuff.h")
REPEAT_MAX = 2**16 - 1

NAMES = {
    "XLC_VERSION": wire.VERSION,
    "XLC_BATCH_MAGIC": wire.BATCH_MAGIC,
    "XLC_ARM_MAGIC": wire.ARM_MAGIC,
    "XLC_SENT_MAGIC": wire.SENT_MAGIC,
    "XLC_ARRIVAL_MAGIC": wire.ARRIVAL_MAGIC,
    "XLC_MARK_MAGIC": MARK_MAGIC,
    "XLC_IDS_MAX": wire.IDS_MAX,
    "XLC_LENGTH_MAX": wire.LENGTH_MAX_BYTES,
    "XLC_BATCH_BYTES_MAX": wire.BATCH_MAX_BYTES,
    "XLC_BURST_MAX": wire.BURST_MAX,
    "XLC_QUEUE_ANY": wire.QUEUE_ANY,
    "XLC_HEADROOM_PAGE": wire.HEADROOM_PAGE,
    "sizeof(struct xlc_mark)": wire.MARK_BYTES,
    "sizeof(struct xlc_batch)": wire.BATCH.size,
    "sizeof(struct xlc_record)": wire.RECORD.size,
    "sizeof(struct xlc_frag)": wire.FRAG.size,
    "sizeof(struct xlc_sent_summary)": wire.SENT_SUMMARY.size,
    "sizeof(struct xlc_sent)": wire.SENT.size,
    "sizeof(struct xlc_arm)": wire.ARM.size,
    "sizeof(struct xlc_arrival_summary)": wire.ARRIVAL_SUMMARY.size,
    "sizeof(struct xlc_arrival)": wire.ARRIVAL.size,
    **{f"XLC_SENT_{flag.name}": flag.value for flag in SentFlag},
    **{f"XLC_{flag.name}": flag.value for flag in ArrivalFlag},
    **{f"XLC_PLANT_{plant.name}": plant.value for plant in Plant},
    **{f"XLC_MODE_{mode.name}": mode.value for mode in Mode},
    **{f"XLC_OP_{op.name}": op.value for op in Op},
    **{f"XLC_END_{end.name}": end.value for end in End},
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("composer")
    program = folder / "composer-source"
    (folder / "names.h").write_text("\n".join(f"NAME({name});" for name in NAMES))
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-result"]
    includes = [f"-I{find_module('xlcompose')}", f"-I{folder}"]
    argv = ["gcc", *flags, *includes, "-o", str(program), str(SOURCE)]
    subprocess.run(argv, check=True)
    return program


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    program = folder / "composer-batch"
    (folder / "linux").mkdir()
    for name in KERNEL_HEADERS:
        (folder / "linux" / name).touch()
    includes = [f"-I{find_module('xlcompose')}", f"-I{folder}"]
    flags = ["-O2", "-Wall", "-Werror", "-fsanitize=address,undefined"]
    argv = ["gcc", *flags, *includes, "-o", str(program), str(BATCH_SOURCE)]
    subprocess.run(argv, check=True)
    return program


def encode_repeats(repeats: tuple[int, ...]) -> bytes:
    """A batch as Python refuses to write it: any number of packets."""
    order = Order(layout=PLAIN)
    batch = Batch(orders=(order,), flow=FLOW, way=Way(device="eth0")).encode()
    head, record = list(wire.BATCH.unpack_from(batch)), batch[wire.BATCH.size :]
    fields = list(wire.RECORD.unpack(record))
    head[3], head[4] = wire.BATCH.size + wire.RECORD.size * len(repeats), len(repeats)
    records = (wire.RECORD.pack(*fields[:7], repeat, *fields[8:]) for repeat in repeats)
    return wire.BATCH.pack(*head) + b"".join(records)


def ask(program: Path, *words: str, stdin: bytes = b"") -> bytes:
    argv = [str(program), *words]
    return subprocess.run(argv, input=stdin, check=True, stdout=subprocess.PIPE).stdout


def test_every_number_and_size_of_the_header_is_the_same_in_python(program: Path) -> None:
    lines = ask(program, "names").decode().splitlines()

    assert dict(line.rsplit(" ", 1) for line in lines) == {k: str(v) for k, v in NAMES.items()}


@pytest.mark.parametrize(("seed", "packet_id"), SEEDS)
def test_pattern_is_the_same_at_every_start_and_length(
    program: Path, seed: int, packet_id: int
) -> None:
    pattern = build_pattern(seed, packet_id, PATTERN_BYTES)

    for start in (*range(9), 300):
        for length in LENGTHS:
            words = (str(seed), str(packet_id), str(start), str(length))
            assert ask(program, "pattern", *words) == pattern[start : start + length]


@pytest.mark.parametrize("start", range(9))
def test_each_wrong_byte_is_found_where_it_is(program: Path, start: int) -> None:
    misses = [ask(program, "check", str(start), str(length)) for length in LENGTHS]

    assert misses == [b"0\n"] * len(LENGTHS)


def test_batch_that_python_wrote_reads_the_same_in_c(program: Path) -> None:
    plain = Order(layout=PLAIN)
    paged = Order(layout=PAGED, repeat=5, plant=Plant.CORRUPT, plant_offset_bytes=9)
    way = Way(device="vif1.0", burst=9, queue=3, drain_ms=4, stall_ms=5, window_kib=6)
    batch = Batch(orders=(plain, paged), flow=FLOW, way=way, seed=2**63, first_id=2**62)
    encoded = batch.encode()

    assert ask(program, "batch", stdin=encoded).decode().splitlines() == [
        f"{len(encoded)} 2 {2**63} {2**62} vif1.0 1 9 3 4 5 64 6",
        "02 01 10 11 10 11 1b5f",
        "70 4061 2 1 5 9",
        "4095 4098 3",
    ]
    post = Post(device="eth0", copies=3).encode(batch, Op.FINISH, 7)
    payload_bytes = 18 + 5 * (4168 - 42)
    assert ask(program, "arm", stdin=post).decode().splitlines() == [
        f"1 18 {2**63} {2**62} 6 6 {payload_bytes} 7 7 eth0"
    ]


@pytest.mark.parametrize(
    ("repeats", "said"),
    [
        ((REPEAT_MAX, 1), "65536 packets"),
        ((REPEAT_MAX, 1, 1), "record 2: with it 65537 packets, at most 65536"),
        # 65537 times 65535 is 2^32 - 1: two more are one packet, in 32 bits.
        ((REPEAT_MAX,) * 65537 + (2,), "record 1: with it 131070 packets, at most 65536"),
        ((0,), "record 0: repeat 0, plant 0"),
        ((), "no packets, not 1 to 65536"),
    ],
    ids=["all", "one-more", "wraps", "none-of-a-record", "none"],
)
def test_packets_of_a_batch_are_counted_record_by_record(
    judge: Path, repeats: tuple[int, ...], said: str
) -> None:
    assert ask(judge, stdin=encode_repeats(repeats)).decode() == said
