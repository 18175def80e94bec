"""A paused guest: its ring is exhausted, packets wait and expire, and afterwards all is well again.

Needs: the kernels' headers (fetched) and a compiler for the composer's module; `xl` in dom0; a vif
of one queue. The tests of time-outs load netback anew with short ones, and again as it was.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from xenlab.plan.model import DOM0, LabPlan, Link
from xenlab.pytest_plugin import Judge
from xenlab.tests.rx.mixes import (
    HEADROOM_MIXES,
    MIXES,
    SMALL,
    build_mix,
)
from xenlab.traffic.drivers import netback_reloaded
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.headroom import HEADROOM, headroom_asked_for
from xenlab.traffic.ladder import Extent
from xenlab.traffic.layouts import composers_loaded
from xenlab.traffic.pausing import (
    guest_of,
    look_at_once,
    send_to_paused,
    wait_for_expiry,
    wait_for_stall,
)
from xenlab.verdict.rx import (
    judge_expiry,
    judge_fill,
    judge_recovery,
    judge_stall,
)
from xenlab.verdict.shapes import judge_refused

SEED = 20140518
QUICK_MIXES = 2
# Long enough apart that packets of a stalled guest are still there when its carrier goes; on an
# ordinary machine.
STALL_MS = 500
DRAIN_S = 6.0


def test_paused_guest_takes_what_its_ring_holds_and_the_rest_when_it_runs_again(
    lab: LabHandle, extent: Extent, judge: Judge
) -> None:
    link = link_to_guest(lab.plan)
    mixes = list(MIXES.items())
    with composers_loaded(lab, link):
        for name, kinds in mixes if extent is Extent.WHOLE else mixes[-QUICK_MIXES:]:
            run = send_to_paused(guest_of(lab, link), build_mix(kinds), look_at_once, seed=SEED)
            run = replace(run, subject=f"{run.subject}, {name}")
            judge(judge_fill(run))
            judge(judge_recovery(run))


def test_stalled_guest_loses_its_carrier_and_what_grows_too_old_is_counted(
    lab: LabHandle, judge: Judge
) -> None:
    link = link_to_guest(lab.plan)
    patience_s = lab.budget(DRAIN_S).remaining_s
    guest = guest_of(lab, link, patience_s=patience_s)
    send = partial(send_to_paused, guest, build_mix((SMALL,)), seed=SEED)
    with netback_reloaded(lab, short_timeouts(patience_s)), composers_loaded(lab, link):
        run = send(wait_for_stall)
        run = replace(run, subject=f"{run.subject}, stalled")
        judge(judge_stall(run))
        judge(judge_fill(run))
        judge(judge_recovery(run))
        run = send(wait_for_expiry)
        run = replace(run, subject=f"{run.subject}, expired")
        judge(judge_expiry(run))
        judge(judge_recovery(run, expired=run.during.expired - run.before.expired))
        run = send(look_at_once)
        run = replace(run, subject=f"{run.subject}, after all that")
        judge(judge_fill(run))
        judge(judge_recovery(run))


def test_ring_is_exhausted_by_packets_with_headroom_too(
    lab: LabHandle, extent: Extent, judge: Judge
) -> None:
    link = link_to_guest(lab.plan)
    guest = guest_of(lab, link)
    mixes = list(HEADROOM_MIXES.items())
    with headroom_asked_for(lab, link) as refused, composers_loaded(lab, link):
        if refused:
            judge(judge_refused(f"{link.sink}, XDP headroom", [refused]))
            return
        for name, kinds in mixes if extent is Extent.WHOLE else mixes[-QUICK_MIXES:]:
            run = send_to_paused(guest, build_mix(kinds), look_at_once, seed=SEED, limits=HEADROOM)
            run = replace(run, subject=f"{run.subject}, {name}")
            judge(judge_fill(run))
            judge(judge_recovery(run))


def short_timeouts(patience_s: float) -> dict[str, str]:
    """Parameters of netback with which a guest stalls soon, and packets wait for so long."""
    return {
        "rx_stall_timeout_msecs": str(STALL_MS),
        "rx_drain_timeout_msecs": str(round(1000 * patience_s)),
    }


def link_to_guest(plan: LabPlan) -> Link:
    """From dom0 to the last domU."""
    return [link for link in plan.links() if link.source == DOM0 and link.sink_vif][-1]
