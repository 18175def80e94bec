"""xlsource, compiled here: no text makes it write outside a frame, no driver makes it wait on."""

from __future__ import annotations

import json
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
def test_datagram_that_is_not_given_back_is_waited_for_as_long_as_it_is_told(
    xlsource: Path, with_error: str, errors: dict[str, int]
) -> None:
    """An error that waits on the socket ends every poll() at once: it has to be taken."""
    words = ["zerocopy", "--idle-ms", str(PATIENCE_MS), "--timeout-ms", str(TIMEOUT_MS)]
    held = [sys.executable, str(HELD), str(xlsource), *words, with_error]
    started_s = time.monotonic()

    done = subprocess.run(["unshare", "--net", *held], stdout=subprocess.PIPE, check=True)

    answer = json.loads(done.stdout)
    assert (answer["letters"], answer["errors"]) == ("u", errors)
    assert PATIENCE_MS / 1000 <= time.monotonic() - started_s < TIMEOUT_MS / 1000
