"""A frontend without its limit of slots: the series that makes the limit a parameter, loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from xenlab.guest.driver import NodeDriver
from xenlab.plan.model import Link
from xenlab.slots.limits import LEGACY_SLOTS, Limits, Relocation
from xenlab.traffic.drivers import netfront_replaced
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import composers_loaded
from xenlab.traffic.limits import limits_of

SERIES = "netfront-slots-limit"
SLOTS_MAX = 64


@contextmanager
def frontend_unlimited(lab: LabHandle, *links: Link, series: str = SERIES) -> Iterator[NodeDriver]:
    """The driver in the domU that these links begin at, and a composer at each of their ends.

    `series` may have others on top of it, with `+` between them.
    """
    parameters = {"slots_max": str(SLOTS_MAX)}
    with (
        netfront_replaced(lab, links[0].source, series, parameters) as driver,
        composers_loaded(lab, *links),
    ):
        yield driver


def read_unlimited(lab: LabHandle, link: Link) -> Limits:
    """What is left of the limits of a link then: its kernels', and a stock netback's."""
    return replace(
        limits_of(lab, link),
        frontend_slots=SLOTS_MAX,
        backend_slots=LEGACY_SLOTS,
        relocation=Relocation.LINEARISE,
    )
