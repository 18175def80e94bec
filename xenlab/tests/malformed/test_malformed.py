"""What netback does with packets of a frontend that does not keep to the protocol of the ring.

Needs: the series netfront-faults on netfront-slots-limit in the sending domU (built and loaded
here, and taken out again), what the composer needs, and a stock netback. Between packets with a
fault go some without, which must arrive; of the others every slot must be answered and every page
given back; and once there are no faults any more all must arrive. A slot of no bytes behind as many
as an skb takes is left out: there stock netback goes on behind the packet's end, as the first patch
of the series negotiated-slots says.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import pytest

from xenlab.guest.driver import NodeDriver
from xenlab.measure.foretold_loss import lose
from xenlab.measure.layouts import LayoutRun
from xenlab.measure.malformed import expect_empty_slot, reaches, shows_empty_slot
from xenlab.plan.model import DOM0, Link
from xenlab.pytest_plugin import Judge
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import predict
from xenlab.slots.layout import Frag, Layout
from xenlab.slots.limits import Limits
from xenlab.tests.unlimited_frontend import SERIES, frontend_unlimited, read_unlimited
from xenlab.traffic.drivers import parameter_set
from xenlab.traffic.guests import guest_links
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import send_layouts
from xenlab.verdict.foretold_loss import judge_foretold, judge_unconcerned
from xenlab.verdict.layouts import judge_layouts

FAULTS = f"{SERIES}+netfront-faults"
SEED = 20230918
EACH = 4
SLOTS = (1, 2, 3, 9, 10, 16, 17, 18)
WITH_FRAG_LIST = 19
# Of the 128 bytes that netback copies of every packet, such a head holds less: the second slot is
# copied in part, and mapped for the rest.
SHARED = Layout(
    linear_bytes=60,
    linear_offset_bytes=0,
    frags=(Frag(order=0, offset_bytes=0, size_bytes=500),) * 3,
)
# The second slot lies in these bytes as a whole: it is copied, and all behind it is mapped.
COPIED = replace(SHARED, frags=(Frag(order=0, offset_bytes=0, size_bytes=50), *SHARED.frags))
# netback puts adjacent slots into one frag then: what it makes of an empty one is its own affair.
JOINING = "backend-adjacent"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyGuest:
    """A link to dom0 whose frontend makes faults as it is told to."""

    lab: LabHandle
    link: Link
    driver: NodeDriver
    limits: Limits

    def layouts(self, *slots: int) -> tuple[Layout, ...]:
        """Some layouts of each number of slots, one of each in turn."""
        frags = self.lab.max_skb_frags(self.link.source)
        columns = [layouts_of_slots(count, EACH, max_frags=frags) for count in slots]
        return (SHARED, COPIED, *chain.from_iterable(zip(*columns, strict=True)))

    def send(self, layouts: tuple[Layout, ...]) -> LayoutRun:
        """As the frontend is right now."""
        return send_layouts(self.lab, self.link, layouts, seed=SEED, limits=self.limits)

    @contextmanager
    def faulty(self, parameter: str, slot: int) -> Iterator[None]:
        """A fault at this slot of each packet that has it."""
        with parameter_set(self.lab, self.link.source, self.driver, parameter, str(slot)):
            yield


@pytest.fixture(scope="module")
def guest(lab: LabHandle) -> Iterator[FaultyGuest]:
    link = guest_links(lab.plan)[0]
    with frontend_unlimited(lab, link, series=FAULTS) as driver:
        yield FaultyGuest(lab=lab, link=link, driver=driver, limits=read_unlimited(lab, link))


@pytest.mark.parametrize("slot", [2, 10, WITH_FRAG_LIST])
def test_packet_with_a_grant_of_nothing_is_lost_and_no_other(
    guest: FaultyGuest, slot: int, judge: Judge
) -> None:
    layouts, limits = guest.layouts(*SLOTS, WITH_FRAG_LIST), guest.limits
    concerned = partial(reaches, slot=slot)
    failing = sum(concerned(predict(layout, limits)) for layout in layouts)
    subject = f"{guest.link.source} -> {guest.link.sink}, slot {slot} refers to nothing granted"
    if not failing:
        judge(judge_unconcerned(subject, "no packet has that slot here"))
        return
    with guest.faulty("bad_grant", slot):
        sent = guest.send(layouts)
    run = lose(sent, limits, concerned, failing, is_counted=False)
    judge(judge_foretold(run, subject=subject, faults=failing, asked=failing))
    judge(judge_layouts(guest.send(layouts), subject=f"{subject}, and then again"))


@pytest.mark.parametrize("slot", [2, 9])
def test_slot_of_no_bytes_is_answered_and_makes_no_frag(
    guest: FaultyGuest, slot: int, judge: Judge
) -> None:
    layouts, limits = guest.layouts(*SLOTS), guest.limits
    subject = f"{guest.link.source} -> {guest.link.sink}, a slot of no bytes behind slot {slot}"
    showing = sum(shows_empty_slot(layout, limits, slot) for layout in layouts)
    if not showing or JOINING in guest.lab.driver(DOM0).split("+"):
        judge(judge_unconcerned(subject, "no packet would lie in another way with it here"))
        return
    with guest.faulty("empty_slot", slot):
        sent = guest.send(layouts)
    run = expect_empty_slot(sent, limits, slot)
    judge(judge_foretold(run, subject=subject, faults=showing, asked=showing))
