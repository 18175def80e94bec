"""The rules of upkeep, each seen to fail, and to be in doubt where nothing was shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.upkeep import CopiesRun, LooksRun, MulticastRun, PagesRun
from xenlab.traffic.upkeep import parse_answers
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.upkeep import judge_copies, judge_looks, judge_multicast, judge_pages

PAGES = PagesRun(subject="dom0 -> alice", packets=2000, lost=0, pages_asked=2000, pages_taken=100)
LOOKS = LooksRun(subject="alice -> dom0", packets=2000, lost=0, looks=60, in_vain=3)
COPIES = CopiesRun(
    subject="alice -> bob and dom0", passed_sent=80, passed_copied=0, kept_sent=70, kept_copied=70
)
MULTICAST = MulticastRun(subject="alice eth0", asked=("fd00::1", "fd00::11"), answered=())
# iputils 20221121, of a lab.
PING = """\
PING ff02::1%eth0(ff02::1%eth0) 56 data bytes
64 bytes from fd78:656e:6c61:1::10: icmp_seq=1 ttl=64 time=158 ms
64 bytes from fd78:656e:6c61:1::1: icmp_seq=1 ttl=64 time=544 ms
64 bytes from fd78:656e:6c61:1::11: icmp_seq=1 ttl=64 time=679 ms
64 bytes from fd78:656e:6c61:1::10: icmp_seq=2 ttl=64 time=0.734 ms

--- ff02::1%eth0 ping statistics ---
2 packets transmitted, 2 received, +2 duplicates, 0% packet loss, time 1043ms
"""


@pytest.mark.parametrize(
    ("run", "outcome"),
    [
        (PAGES, Outcome.PASS),
        (replace(PAGES, pages_taken=512), Outcome.PASS),
        (replace(PAGES, pages_taken=513), Outcome.FAIL),
        (replace(PAGES, packets=400), Outcome.INCONCLUSIVE),
        (replace(PAGES, lost=1), Outcome.INCONCLUSIVE),
        (replace(PAGES, pages_asked=0, pages_taken=0), Outcome.INCONCLUSIVE),
    ],
)
def test_pages_that_do_not_go_back_are_told(run: PagesRun, outcome: Outcome) -> None:
    assert judge_pages(run).outcome is outcome


@pytest.mark.parametrize(
    ("looks", "in_vain", "outcome"),
    [
        (60, 30, Outcome.PASS),
        (60, 31, Outcome.FAIL),
        (0, 0, Outcome.INCONCLUSIVE),
    ],
)
def test_looks_in_vain_are_told(looks: int, in_vain: int, outcome: Outcome) -> None:
    assert judge_looks(replace(LOOKS, looks=looks, in_vain=in_vain)).outcome is outcome


@pytest.mark.parametrize(
    ("run", "outcome"),
    [
        (COPIES, Outcome.PASS),
        (replace(COPIES, passed_copied=80, kept_copied=0), Outcome.FAIL),
        (replace(COPIES, passed_copied=1), Outcome.FAIL),
        (replace(COPIES, kept_copied=69), Outcome.FAIL),
        (replace(COPIES, passed_sent=0), Outcome.INCONCLUSIVE),
    ],
)
def test_copies_that_are_counted_the_wrong_way_are_told(run: CopiesRun, outcome: Outcome) -> None:
    assert judge_copies(run).outcome is outcome


@pytest.mark.parametrize(
    ("answered", "outcome"),
    [
        (("fd00::10", "fd00::11", "fd00::1"), Outcome.PASS),
        (("fd00::10", "fd00::1"), Outcome.FAIL),
        ((), Outcome.FAIL),
    ],
)
def test_node_that_does_not_hear_multicast_is_told(
    answered: tuple[str, ...], outcome: Outcome
) -> None:
    verdict = judge_multicast(replace(MULTICAST, answered=answered))

    assert verdict.outcome is outcome
    assert ("no answer of fd00::11 to multicast" in verdict.reasons) is (outcome is Outcome.FAIL)


def test_nobody_asked_is_no_success() -> None:
    assert judge_multicast(replace(MULTICAST, asked=())).outcome is Outcome.INCONCLUSIVE


def test_answers_are_read_from_what_ping_says() -> None:
    answers = ("fd78:656e:6c61:1::10", "fd78:656e:6c61:1::1", "fd78:656e:6c61:1::11")

    assert parse_answers(PING) == answers
