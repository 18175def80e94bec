"""xlsource, compiled here: no text makes it write outside a frame, no driver makes it wait on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "xenlab/images/tools/xlsource"
HELD = Path(__file__).with_name("held_datagram.py")
FLAGS = ("-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined")
USAGE = 2
PATIENCE_MS = 300
# By this the program would give up whatever its patience is.
TIMEOUT_MS = 15_000
# Either of the two ends a wait that the other would not have ended by then.
ENDS = [("idle", PATIENCE_MS, TIMEOUT_MS), ("timeout", TIMEOUT_MS, PATIENCE_MS)]
# $1: a rate, at which a bridge's only port sends on what the bridge is given: nothing of it is back
# before. $2 and further: what to run.
SLOW_DEVICE = """
ip link add br0 type bridge && ip link set br0 up || exit
ip link add v0 type veth peer name v1 && ip link set v1 up && ip link set v0 up master br0 || exit
tc qdisc add dev v0 root tbf rate "$1" burst 2000 limit 10000000 || exit
shift
exec "$@"
"""
FRAME = "lin=1514@2 proto=udp4"
# Several times as many as a socket may have under way.
FRAMES = 300
ADDRESSES = (
    "--mac", "02:00:00:00:00:01,02:00:00:00:00:02", "--ip4", "10.0.0.1,10.0.0.2",
    "--ip6", "fd00::1,fd00::2", "--ports", "1,2",
)  # fmt: skip


@pytest.fixture(scope="module")
def xlsource(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("xlsource") / "xlsource"
    units = map(str, sorted(SOURCES.glob("*.c")))
    subprocess.run(["gcc", *FLAGS, "-o", str(program), *units], check=True)
    return program


@pytest.mark.parametrize(
    "layout",
    [
        "lin=14@0 proto=udp4",
        "lin=53@0 proto=tcp4",
        "lin=65550@0 proto=udp4",
        "lin=65500@0 frag=0:0:50 proto=udp4",
        # In 32 bits these two are a packet of 100 bytes.
        "lin=4294967196@0 frag=0:0:200 proto=udp4",
    ],
)
def test_layout_of_a_length_that_no_packet_has_is_refused(xlsource: Path, layout: str) -> None:
    argv = [str(xlsource), "tap", "--device", "none/such"]

    done = subprocess.run(argv, input=layout, text=True, stderr=subprocess.PIPE, check=False)

    assert done.returncode == USAGE
    assert done.stderr == "xlsource: layout 0: `no length that a packet can have`\n"


@pytest.mark.parametrize(("with_error", "errors"), [("quiet", {}), ("error", {"ECONNREFUSED": 1})])
@pytest.mark.parametrize(("ended", "patience_ms", "timeout_ms"), ENDS)
def test_datagram_that_is_not_given_back_is_waited_for_as_long_as_it_is_told(
    xlsource: Path,
    ended: str,
    patience_ms: int,
    timeout_ms: int,
    with_error: str,
    errors: dict[str, int],
) -> None:
    """An error that waits on the socket ends every poll() at once: it has to be taken."""
    words = ["zerocopy", "--idle-ms", str(patience_ms), "--timeout-ms", str(timeout_ms)]
    held = [sys.executable, str(HELD), str(xlsource), *words, with_error]
    started_s = time.monotonic()

    done = subprocess.run(["unshare", "--net", *held], stdout=subprocess.PIPE, check=True)

    answer = json.loads(done.stdout)
    assert (answer["ended"], answer["letters"], answer["errors"]) == (ended, "u", errors)
    assert PATIENCE_MS / 1000 <= time.monotonic() - started_s < TIMEOUT_MS / 1000


def send_at(rate: str, xlsource: Path, patience_ms: int, timeout_ms: int) -> dict[str, object]:
    """What became of all frames at a device of a rate."""
    words = ["--device", "br0", "--idle-ms", str(patience_ms), "--timeout-ms", str(timeout_ms)]
    argv = ["sh", "-c", SLOW_DEVICE, "sh", rate, str(xlsource), "packet", *words, *ADDRESSES]
    done = subprocess.run(
        ["unshare", "--net", *argv],
        input=f"{FRAME}\n" * FRAMES, text=True, stdout=subprocess.PIPE, check=True,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},  # what it has till its end
    )  # fmt: skip
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(("ended", "patience_ms", "timeout_ms"), ENDS)
def test_frames_that_are_not_given_back_are_waited_for_as_long_as_it_is_told(
    xlsource: Path, ended: str, patience_ms: int, timeout_ms: int
) -> None:
    answer = send_at("8bit", xlsource, patience_ms, timeout_ms)

    letters = str(answer["letters"])
    assert (answer["ended"], answer["errors"]) == (ended, {"EAGAIN": 1})
    assert letters.lstrip("t") == "r"
    assert len(letters) < FRAMES


def test_patience_with_frames_begins_anew_as_long_as_some_come_back(xlsource: Path) -> None:
    """Half of what the socket may have under way, at which poll() tells of room, takes longer."""
    answer = send_at("1mbit", xlsource, PATIENCE_MS, TIMEOUT_MS)

    assert (answer["ended"], answer["letters"], answer["errors"]) == ("complete", "t" * FRAMES, {})


def test_time_that_is_up_while_frames_still_come_back_is_no_patience(xlsource: Path) -> None:
    answer = send_at("1mbit", xlsource, PATIENCE_MS, 2 * PATIENCE_MS)

    assert (answer["ended"], answer["errors"]) == ("timeout", {"EAGAIN": 1})
