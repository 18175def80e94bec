"""A vif that netback disables: provoked by one packet, told of, and connected anew."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xenlab.errors import WaitTimedOut
from xenlab.guest.driver import take_up_vifs
from xenlab.measure.disabling import DisablingRun
from xenlab.plan.model import DOM0, Link
from xenlab.slots.fate import predict
from xenlab.slots.layout import Layout
from xenlab.slots.limits import Limits
from xenlab.traffic.announcing import LOG_S, announced
from xenlab.traffic.composer.sightings import sight_all
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import COMPOSER
from xenlab.verdict.fault_table import Category
from xenlab.waiting import wait_until
from xenlab.xen.vif import Vif, await_frontend, await_vifs, reattach_vif

CARRIER_S = 10.0
REATTACH_S = 30.0
# drivers/net/xen-netback/netback.c:260, xenvif_count_requests()
MALICIOUS = re.compile(rb"Malicious frontend using (\d+) slots")


def disable_vif(
    lab: LabHandle, link: Link, fatal: Layout, harmless: Sequence[Layout], *, seed: int,
    limits: Limits,
) -> DisablingRun:  # fmt: skip
    """Send the harmless layouts, the fatal one, and the harmless ones again, in one batch.

    The skbs that netback will never answer stay in the frontend: `reattach` the vif, in any case,
    before anything else. dom0's log holds the announcement that its console is excused by.
    """
    layouts = (*harmless, fatal, *harmless)
    with announced(lab, DOM0, Category.VIF_DISABLED) as nonce:
        delivery = COMPOSER.deliver(lab, link, layouts, seed)
        carrier = not _loses_carrier(lab, link)
        told = _told_slots(lab, nonce)
    return DisablingRun(
        source=link.source,
        sink=link.sink,
        layout=fatal,
        slots=predict(fatal, limits).sending.counted_slots,
        fatal_index=len(harmless),
        sightings=tuple(sight_all(delivery)),
        outstanding_skbs=delivery.send_report.outstanding,
        carrier=carrier,
        told_slots=told,
    )


def reattach(lab: LabHandle, link: Link) -> None:
    """Give the source of a link a new vif in place of its old one; returns when it is silent."""
    assert link.source_vif is not None
    index, deadline = link.source_vif.index, lab.budget(REATTACH_S)
    reattach_vif(lab.shell(DOM0), link.source, index, deadline)
    take_up_vifs(lab.shell(link.source), deadline)
    vif = lab.vif(link.source, index)
    await_vifs(lab.shell(DOM0), [vif], deadline)
    await_frontend(lab.shell(DOM0), link.source, Vif.parse(vif), deadline)
    lab.restore_silence()


def _loses_carrier(lab: LabHandle, link: Link) -> bool:
    assert link.source_vif is not None
    path = f"/sys/class/net/{lab.vif(link.source, link.source_vif.index)}/carrier"

    def lost() -> bool:
        return lab.shell(DOM0).read_file(path, deadline=lab.budget(LOG_S)).strip() == b"0"

    try:
        return wait_until(lost, "the vif to lose its carrier", lab.budget(CARRIER_S))
    except WaitTimedOut:
        return False


def _told_slots(lab: LabHandle, nonce: str) -> tuple[int, ...]:
    """What netback said since the announcement, as soon as the console shows it; maybe nothing."""

    def told() -> tuple[int, ...]:
        _, _, since = lab.console_bytes(DOM0).partition(nonce.encode())
        return tuple(int(match[1]) for match in MALICIOUS.finditer(since))

    try:
        return wait_until(told, "netback to tell of it", lab.budget(LOG_S))
    except WaitTimedOut:
        return ()
