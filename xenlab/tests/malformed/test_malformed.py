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
from xenlab.measure.malformed import (
    count_error_answers,
    expect_empty_slot,
    reaches,
    shares_slot,
    shows_empty_slot,
)
from xenlab.measure.penalties import RELEASES, Penalties
from xenlab.plan.model import DOM0, Link
from xenlab.pytest_plugin import Judge
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import Fate, predict
from xenlab.slots.layout import Frag, Layout
from xenlab.slots.limits import Limits
from xenlab.slots.series import ADJACENT, JOINT
from xenlab.tests.unlimited_frontend import SERIES, frontend_unlimited, read_unlimited
from xenlab.traffic.drivers import parameter_set
from xenlab.traffic.guests import guest_links
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import send_layouts
from xenlab.traffic.observing import observing
from xenlab.verdict.error_answers import judge_error_answers
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
# 19 slots, of which the second is copied in part: its rest is the first frag of 17, and the last
# slot alone is on the frag_list.
LISTED = replace(
    SHARED, frags=(*SHARED.frags[:1] * 16, Frag(order=1, offset_bytes=3846, size_bytes=500))
)


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
    if not showing or ADJACENT in guest.lab.driver(DOM0).split(JOINT):
        judge(judge_unconcerned(subject, "no packet would lie in another way with it here"))
        return
    with guest.faulty("empty_slot", slot):
        sent = guest.send(layouts)
    run = expect_empty_slot(sent, limits, slot)
    judge(judge_foretold(run, subject=subject, faults=showing, asked=showing))


@pytest.mark.parametrize("slot", [2, 10, 18, WITH_FRAG_LIST])
def test_slots_that_failed_are_answered_with_an_error_and_no_others(
    guest: FaultyGuest, slot: int, judge: Judge
) -> None:
    layouts = (*(LISTED,) * EACH, *guest.layouts(*SLOTS, WITH_FRAG_LIST))
    predictions = [predict(layout, guest.limits) for layout in layouts]
    subject = f"{guest.link.source} -> {guest.link.sink}, answers where slot {slot} is bad"
    lists = sum(each.fate is Fate.OVERFLOW and shares_slot(each) for each in predictions)
    if not lists:
        judge(judge_unconcerned(subject, "no packet has a frag_list behind a slot copied in part"))
        return
    with (
        guest.faulty("bad_grant", slot),
        observing(guest.lab, guest.link, probes=True, tables=(RELEASES,)) as observer,
    ):
        guest.send(layouts)
        penalties = Penalties(observation=observer.read())
    must = sum(count_error_answers(each, slot) for each in predictions)
    judge(judge_error_answers(penalties.failed_slots, must, subject=subject, lists=lists))
