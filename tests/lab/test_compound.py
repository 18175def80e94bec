"""The suite `compound`: each of its rules is seen to fail, and all that it sets is put back."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from xenlab.errors import DriverFailed
from xenlab.kernel.shelf import shelf
from xenlab.lab import Lab
from xenlab.measure.layouts import LayoutRun
from xenlab.measure.natural import read_natural_slots
from xenlab.measure.penalties import Penalties
from xenlab.plan.links import DOM0, Link
from xenlab.slots.layout import Frag, Layout
from xenlab.traffic.drivers import netfront_replaced
from xenlab.traffic.guests import guest_links
from xenlab.traffic.layouts import LayoutSource, composers_loaded, send_layouts
from xenlab.traffic.observing import observing
from xenlab.traffic.plant import PlantKind, planting
from xenlab.traffic.settings import path_widened, sysctl_set
from xenlab.traffic.sources.fragments import memory_fragmented, read_free_blocks
from xenlab.traffic.sources.packets import PACKETS, packet_layout
from xenlab.traffic.sources.streams import StreamKind, StreamOrder, observe_streams
from xenlab.traffic.sources.tap import Tap, tap_layout
from xenlab.traffic.sources.zerocopy import LIMITS, Zerocopy
from xenlab.verdict.layouts import judge_layouts
from xenlab.verdict.natural import NaturalRange, judge_natural
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.ring_slots import judge_linearised, judge_ring_slots

SERIES = "netfront-slots-limit"
# It does not free what went by slot 0, whichever packet that is of the few that take turns.
LEAKING = shelf() / "mutants/netfront-tx-skb-leaked.patch"
SINGLE_PAGES = "net.core.high_order_alloc_disable"
BUDGET_S = 60.0
SEED = 5
FEW = tuple(
    Layout(linear_bytes=42, linear_offset_bytes=2,
           frags=(Frag(order=3, offset_bytes=4095, size_bytes=size),) * frags)
    for size in (2, 3000)
    for frags in range(1, 9)
)  # fmt: skip
FRAMES = tuple(packet_layout(100, 100 + 4096 * pages) for pages in range(1, 16)) * 4


@pytest.fixture
def link(opened: Lab) -> Link:
    """From a domU to another, by two vifs."""
    return guest_links(opened.plan)[1]


def observe(
    lab: Lab, link: Link, layouts: tuple[Layout, ...], source: LayoutSource
) -> tuple[LayoutRun, Penalties]:
    with observing(lab, link, probes=True) as observer:
        run = send_layouts(lab, link, layouts, seed=SEED, limits=LIMITS, source=source)
        return run, Penalties(observation=observer.read())


def settings(lab: Lab, link: Link) -> dict[str, str]:
    """All that sources change in the nodes of a link."""
    script = (
        "cat /sys/class/net/[evx]*/mtu /proc/sys/net/core/high_order_alloc_disable"
        " /proc/sys/vm/compaction_proactiveness /proc/sys/vm/extfrag_threshold"
        "; ls /sys/class/net; lsmod | cut -d' ' -f1"
    )
    return {
        node: lab.shell(node).run(["sh", "-c", script], deadline=lab.budget(BUDGET_S)).text
        for node in (link.source, link.sink, DOM0)
    }


def test_frontend_that_linearises_too_early_is_found_by_each_rule(opened: Lab, link: Link) -> None:
    with (
        netfront_replaced(opened, link.source, SERIES, {"slots_max": "9"}),
        path_widened(opened, link),
    ):
        run, penalties = observe(opened, link, FEW, Zerocopy())

    layouts = judge_layouts(run)
    assert layouts.outcome is Outcome.FAIL
    assert "was linearised" in layouts.reasons[0]
    assert judge_ring_slots(run, penalties).outcome is Outcome.FAIL
    linearised = judge_linearised(run, penalties)
    assert linearised.outcome is Outcome.FAIL
    assert linearised.reasons == ("8 packets were linearised, not 0",)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(PlantKind.SILENT_DROP, "did not arrive"), (PlantKind.CORRUPT, "arrived damaged")],
)
@pytest.mark.parametrize("source", ["zerocopy", "packets", "tap"])
def test_fault_in_the_path_is_found_packet_by_packet(
    opened: Lab, link: Link, source: str, kind: PlantKind, reason: str
) -> None:
    by_name: dict[str, tuple[LayoutSource, tuple[Layout, ...]]] = {
        "zerocopy": (Zerocopy(), FEW),
        "packets": (PACKETS, FRAMES),
        "tap": (Tap(batch_packets=30), (tap_layout(4, 1000),) * 30),
    }
    chosen, layouts = by_name[source]
    with ExitStack() as stack:
        if source != "zerocopy":
            stack.enter_context(composers_loaded(opened, link))
        stack.enter_context(path_widened(opened, link))
        stack.enter_context(planting(opened, link, kind, every=5))
        run = send_layouts(opened, link, layouts, seed=SEED, limits=LIMITS, source=chosen)

    verdict = judge_layouts(run)
    assert verdict.outcome is Outcome.FAIL
    assert reason in verdict.reasons[0]


def test_datagram_that_netfront_does_not_give_back_is_the_drivers_failure(
    opened: Lab, link: Link
) -> None:
    """The rings are at rest: netback has answered, and nobody else could give it back."""
    with (
        netfront_replaced(opened, link.source, str(LEAKING)),
        path_widened(opened, link),
        pytest.raises(DriverFailed, match="is not back in time: the rings stand still"),
    ):
        send_layouts(opened, link, FEW, seed=SEED, limits=LIMITS, source=Zerocopy())


def test_sockets_in_turn_are_not_taken_for_a_file(opened: Lab, link: Link) -> None:
    order = StreamOrder(kind=StreamKind.INTERLEAVE, write_bytes=5000, writes=600, sockets=2)
    _measurement, observation = observe_streams(opened, link, order)

    natural = read_natural_slots("interleaved", observation)
    linearised = Penalties(observation=observation).linearised
    one_page = NaturalRange(least=17, most=18, why="no frag crosses a page")
    verdict = judge_natural(natural, one_page, linearised)
    assert verdict.outcome is Outcome.FAIL


def test_what_was_set_is_put_back_after_a_failure_too(opened: Lab, link: Link) -> None:
    before = settings(opened, link)
    free = read_free_blocks(opened.shell(link.source), opened.budget(BUDGET_S))

    with pytest.raises(ZeroDivisionError):
        fail_within_all(opened, link, before)

    assert settings(opened, link) == before
    after = read_free_blocks(opened.shell(link.source), opened.budget(BUDGET_S))
    assert after.largest_order == free.largest_order


def fail_within_all(lab: Lab, link: Link, before: dict[str, str]) -> None:
    with (
        path_widened(lab, link),
        sysctl_set(lab, link.source, SINGLE_PAGES, "1"),
        memory_fragmented(lab, link.source, 3) as memory,
    ):
        assert memory.found.largest_order <= 3
        assert settings(lab, link) != before
        raise ZeroDivisionError
