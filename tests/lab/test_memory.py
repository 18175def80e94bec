"""Memory in pieces: a frontend that finds none to linearise, and pages that are not compound."""

from __future__ import annotations

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.block_probes import block_probe
from xenlab.lab import Lab
from xenlab.measure.layouts import LayoutRun
from xenlab.measure.penalties import Penalties
from xenlab.measure.starvation import BLOCKS, starve
from xenlab.plan.links import Link
from xenlab.slots.compound import copied_layouts
from xenlab.slots.fate import Fate
from xenlab.slots.layout import Frag, Layout
from xenlab.slots.limits import STOCK
from xenlab.traffic.guests import guest_links
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.observing import observing
from xenlab.traffic.settings import path_widened
from xenlab.traffic.sources.fragments import PIECES_S, memory_fragmented
from xenlab.traffic.sources.zerocopy import LIMITS, Zerocopy
from xenlab.verdict.layouts import judge_layouts
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.ring_slots import judge_linearised

SEED = 5
ORDER = 3


@pytest.fixture
def link(opened: Lab) -> Link:
    """From a domU to another, by two vifs."""
    return guest_links(opened.plan)[1]


def observe(lab: Lab, link: Link) -> tuple[LayoutRun, Penalties]:
    with observing(lab, link, probes=True, in_source=[block_probe(ORDER)]) as observer:
        run = send_layouts(lab, link, tuple(copied_layouts()), seed=SEED, limits=LIMITS)
        return run, Penalties(observation=observer.read())


def test_failure_to_linearise_is_named_and_counted_and_no_silent_loss(
    opened: Lab, link: Link
) -> None:
    with composers_loaded(opened, link), memory_fragmented(opened, link.source, ORDER) as pieces:
        run, penalties = observe(opened, link)
        pieces.require(opened.budget(PIECES_S))

    blocks = penalties.observation.source.hits(BLOCKS)
    starved = starve(run, STOCK, ORDER, blocks=blocks)
    failed = starved.count(Fate.DROPPED)
    # Of 35770, 61270, 62970 and 65350 bytes.
    assert 0 < failed <= 4 if blocks else failed == 4
    verdict = judge_linearised(run, penalties)
    assert verdict.outcome is Outcome.FAIL
    memory = (
        f"{link.source_device} found no memory to linearise {failed} packets, not 0,"
        f" and dropped them (tx_dropped {failed})"
    )
    assert memory in verdict.reasons
    assert penalties.silent_packets == 0
    layouts_verdict = judge_layouts(run)
    assert layouts_verdict.outcome is Outcome.FAIL
    assert "was dropped by its driver" in layouts_verdict.reasons[0]
    assert judge_layouts(starved).outcome is Outcome.PASS
    assert judge_linearised(starved, penalties).outcome is Outcome.PASS


def test_blocks_that_come_up_in_between_are_counted(opened: Lab, link: Link) -> None:
    shell = opened.shell(link.source)
    spare = ["dd", "if=/dev/zero", "of=/spare", "bs=1M", "count=8"]
    shell.run(spare, deadline=opened.budget(PIECES_S)).require_success()
    with (
        memory_fragmented(opened, link.source, ORDER) as pieces,
        observing(opened, link, probes=True, in_source=[block_probe(ORDER)]) as observer,
    ):
        shell.run(["rm", "/spare"], deadline=opened.budget(PIECES_S)).require_success()
        pieces.require(opened.budget(PIECES_S))
        assert observer.read().source.hits(BLOCKS) > 0


def test_memory_that_is_whole_fails_who_expects_it_in_pieces(opened: Lab, link: Link) -> None:
    with composers_loaded(opened, link):
        run, penalties = observe(opened, link)

    starved = starve(run, STOCK, ORDER)
    assert judge_layouts(run).outcome is Outcome.PASS
    assert judge_layouts(starved).outcome is Outcome.FAIL
    assert judge_linearised(starved, penalties).outcome is Outcome.FAIL


def test_pages_that_are_not_compound_are_no_result(opened: Lab, link: Link) -> None:
    """Each frag takes a block of its own: no block of order 5 is free, of sixteen."""
    frag = Frag(order=5, offset_bytes=0, size_bytes=600)
    large = Layout(linear_bytes=42, linear_offset_bytes=2, frags=(frag,) * 16)
    with (
        path_widened(opened, link),
        memory_fragmented(opened, link.source, ORDER),
        pytest.raises(MeasurementError, match=r"\d+ of 16 blocks of memory are compound"),
    ):
        send_layouts(opened, link, (large,), seed=SEED, limits=LIMITS, source=Zerocopy())
