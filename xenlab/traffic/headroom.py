"""Headroom: a guest that has netback leave room for XDP before each packet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from xenlab.guest.xdp import HEADROOM_BYTES, attach_xdp, xdp_attached
from xenlab.plan.model import DOM0, Link
from xenlab.slots.limits import Limits
from xenlab.traffic.handle import LabHandle
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline
from xenlab.xen.vif import Vif, read_negotiation

HEADROOM = Limits(xdp_headroom_bytes=HEADROOM_BYTES)
HEADROOM_S = 300.0


def ask_for_headroom(lab: LabHandle, link: Link) -> str:
    """Put an XDP program on the device of the domU at the end of a link, for good.

    Says why that cannot be, and nothing where it is so. Raises LabError.
    """
    deadline = lab.budget(HEADROOM_S)
    return _lack(lab, link, deadline) or attach_xdp(*_place(lab, link), deadline)


@contextmanager
def headroom_asked_for(lab: LabHandle, link: Link) -> Iterator[str]:
    """The same for a time: afterwards there is no program on it."""
    deadline = lab.budget(HEADROOM_S)
    if lack := _lack(lab, link, deadline):
        yield lack
        return
    with xdp_attached(*_place(lab, link), deadline) as refused:
        yield refused


def _lack(lab: LabHandle, link: Link, deadline: Deadline) -> str:
    """What the backend does not offer."""
    domu, index = _place(lab, link)
    vif = Vif.parse(lab.vif(domu.where, index))
    backend = read_negotiation(lab.shell(DOM0), vif, deadline).backend
    if backend is not None and backend.feature("feature-xdp-headroom"):
        return ""
    return f"the backend of {vif} offers no feature-xdp-headroom"


def _place(lab: LabHandle, link: Link) -> tuple[Shell, int]:
    if link.sink_vif is None:
        raise ValueError(f"{link.source} -> {link.sink}: dom0 asks for no headroom")
    return lab.shell(link.sink), link.sink_vif.index
