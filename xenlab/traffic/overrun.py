"""Overrun: packets for which netback takes more slots than a paused guest has offered."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xenlab.errors import MeasurementError
from xenlab.measure.rx import Overrun
from xenlab.plan.model import DOM0
from xenlab.slots.layout import Layout
from xenlab.slots.limits import Limits
from xenlab.slots.receive import deliver_layout
from xenlab.traffic.announcing import announced
from xenlab.traffic.composer.sender import send_batch
from xenlab.traffic.composer.wire import Plant
from xenlab.traffic.pausing import RUN_S, PausedGuest, look_at_once
from xenlab.verdict.fault_table import Category
from xenlab.xen.pausing import paused

# $1: a line of the log: what came behind it. The number is that of responses that are there.
READ_LOG = 'dmesg | sed -n "/$1/,\\$p"'
ILLEGAL = re.compile(r"Illegal number of responses (?P<responses>\d+)")


def overrun_paused(
    guest: PausedGuest, layouts: Sequence[Layout], *, seed: int, limits: Limits
) -> Overrun:
    """Send layouts of which netback takes more slots than a paused guest has offered.

    The guest's device is lost by it for good: netfront gives it up in its poll without completing
    that (drivers/net/xen-netfront.c:1287), and whoever stops or unbinds the device then waits for
    ever. Raises LabError where the lab broke.
    """
    lab, link = guest.lab, guest.link
    deadline = lab.budget(RUN_S)
    dom0, domu = lab.shell(DOM0), lab.shell(link.sink)
    before = guest.look(deadline)
    with (
        announced(lab, link.sink, Category.PROTOCOL_BROKEN) as nonce,
        paused(dom0, link.sink, deadline),
    ):
        send_batch(dom0, guest.compose(layouts, seed, Plant.NOTHING), deadline)
        during = look_at_once(guest, deadline)
    text = domu.run_script(READ_LOG, nonce, deadline=deadline).require_success().text
    if nonce not in text:
        raise MeasurementError(f"{link.sink}: its kernel log does not reach back to the pause")
    found = ILLEGAL.search(text)
    return Overrun(
        subject=f"{link.source} -> {link.sink}, paused",
        deliveries=tuple(deliver_layout(layout, limits) for layout in layouts),
        before=before,
        during=during,
        told=int(found["responses"]) if found else 0,
    )
