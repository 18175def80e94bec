"""`xenlab slots`: the picture, the story below it, JSON, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.unit.cli.conftest import Run

CROSSING = ("lin=70@4061", "frag=3:4095:4098,0:5:0", "gso=1448", "proto=tcp4")
GUEST = "the guest gets a head of 256 bytes and 2 frags"
PICTURE = f"""\
lin=70@4061 frag=3:4095:4098,0:5:0 gso=1448 proto=tcp4
4168 bytes: 70 linear and 2 frags; tcp4, checksum partial, GSO segments of 1448

in memory        page  0                           4095       bytes  size  slot
linear              0  ·······························▒  4061..4095    35     1
                    1  ▒·······························       0..34    35     2
frag 1, order 3     0  ·······························▒  4095..4095     1     3
                    1  ████████████████████████████████     0..4095  4096     4
                    2  ▒·······························        0..0     1     5
frag 2, order 0     0  ································        at 5     0    +1
an empty frag counts (+1) if it begins inside a page; it is not sent
slot 1 says 4168 bytes: the whole packet; a GSO extra follows it, segments of 1448 bytes

out of a guest
  frontend  6 slots, the limit is 18: sent as it lies; 5 slots and 1 extra of the ring's 256
  backend   128 bytes copied into the head by 4 grant copies; 2 slots mapped
  counters  tx_packets (frontend) +1, rx_packets (vif) +1, tx_zerocopy_sent +1
  fate      INTACT: arrives, granted as it lies

into a guest
  from dom0  2 slots + 1 extra, netback waits for 3; 6 grant copies; {GUEST}
  forwarded  2 slots + 1 extra, netback waits for 3; 4 grant copies; {GUEST}
"""


def test_picture_shows_pages_slots_and_fate(xenlab: Run) -> None:
    said = xenlab("slots", *CROSSING)

    assert said.code == 0
    assert said.out == PICTURE
    assert said.err == ""


def test_layout_may_be_one_word_or_many(xenlab: Run) -> None:
    assert xenlab("slots", " ".join(CROSSING)).out == PICTURE


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["lin=65536@0"], "more than the 65535 bytes that the wire can say: dropped"),
        (["lin=3000@0", "gso=100"], "not a GSO packet for this device: dropped if"),
        (["lin=42@4090"], "bounced to a page's start; 1 slot of the ring's 256"),
        (["lin=13@0"], "the first slot is shorter than an Ethernet header"),
        (["--worst"], ("51 slots, the limit is 18: skb_linearize() copies 61544 bytes into pages "
         "of order 4; 16 slots of the ring's 256")),
        (["--worst", "--gso"], "16 slots and 1 extra of the ring's 256"),
        (["--worst", "--max-skb-frags", "45"], "107 slots, the limit is 18"),
        (["--worst", "--frontend-limit", "60"], "51 slots, 22 are fatal: the vif is disabled"),
        (["--worst", "--frontend-limit", "60", "--fatal-slots", "60"],
         "51 slots, 19 are accepted: every slot is answered with an error"),
        (["lin=1500@0", "--headroom", "256"], "1 slot + 1 extra, netback waits for 1; 1 too few"),
        (["lin=1500@0", "--headroom", "256"], "the guest gets 1756 bytes"),
        (["lin=4000@0", "--headroom", "256"], "the guest rejects it (rx_errors)"),
    ],
)  # fmt: skip
def test_story_says_what_becomes_of_it(xenlab: Run, words: list[str], sentence: str) -> None:
    said = xenlab("slots", *words)

    assert said.code == 0
    assert sentence in said.out


def test_frag_list_and_whole_first_slot_are_told(xenlab: Run) -> None:
    frags = ",".join(["0:0:100"] * 17)
    eighteen = xenlab("slots", "lin=200@0", f"frag={frags}").out
    nineteen = xenlab("slots", "lin=200@4000", f"frag={frags}", "--frontend-limit", "19").out

    assert (
        "200 bytes copied into the head by 1 grant copy: the whole first slot, not 128" in eighteen
    )
    assert "17 are all that an skb has: the rest goes to a frag_list" in nineteen
    assert "tx_frag_overflow +1, tx_zerocopy_sent +2" in nineteen
    assert "OVERFLOW" in nineteen


def test_json_holds_the_prediction(xenlab: Run) -> None:
    said = xenlab("slots", "--json", *CROSSING)
    document = json.loads(said.out)

    assert said.code == 0
    assert document["schema_version"] == 1
    assert document["layout"] == " ".join(CROSSING)
    assert document["fate"] == "intact"
    assert document["frontend"]["counted_slots"] == 6
    assert (document["frontend"]["slots"], document["frontend"]["ring_slots"]) == (5, 6)
    assert document["frontend"]["requests"][0] == {
        "piece": {"offset_bytes": 4061, "size_bytes": 35}, "wire_bytes": 4168, "frag": -1
    }  # fmt: skip
    assert document["backend"]["mapped_slots"] == 2
    assert document["counters"]["tx_zerocopy_sent"] == 1
    assert document["to_guest"]["forwarded"]["data_slots"] == 2


def test_json_of_what_is_dropped_has_no_backend(xenlab: Run) -> None:
    document = json.loads(xenlab("slots", "--json", "lin=65536@0").out)

    assert document["backend"] is None
    assert document["to_guest"]["forwarded"] is None
    assert document["fate"] == "dropped"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "give a LAYOUT, or --worst"),
        (["lin=42@0", "--worst"], "give a LAYOUT, or --worst"),
        (["lin=42@0", "--gso"], "give a LAYOUT, or --worst"),
        (["lin=42@0", "--max-skb-frags", "46"], "46 is not in the range 17<=x<=45"),
        (["lin=42@0", "frag=" + ",".join(["0:0:1"] * 18)], "18 frags; MAX_SKB_FRAGS is 17 here"),
    ],
)
def test_what_is_wrong_is_said_with_exit_code_2(
    xenlab: Run, words: list[str], problem: str
) -> None:
    said = xenlab("slots", *words)

    assert said.code == 2
    assert problem in said.err
    assert said.out == ""


def test_every_wrong_word_of_a_layout_is_named(xenlab: Run) -> None:
    said = xenlab("slots", "lin=42@4096", "frga=0:0:1", "proto=tcp")

    assert said.code == 2
    assert "did you mean `frag`?" in said.err
    assert "`proto=tcp`" in said.err
    assert "`lin=42@4096`" in said.err


@pytest.mark.parametrize(("encoding", "full", "free"), [("utf-8", "█", "·"), ("ascii", "#", ".")])
def test_pipe_gets_plain_text_in_its_own_encoding(encoding: str, full: str, free: str) -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "from xenlab.cli.main import main; main()",
            "slots",
            "lin=5000@4000",
        ],
        env={"PYTHONIOENCODING": encoding, "TERM": "xterm-256color"},
        capture_output=True,
        check=True,
    ).stdout.decode(encoding)

    assert "\x1b" not in said
    assert full * 32 in said
    assert free * 31 in said
