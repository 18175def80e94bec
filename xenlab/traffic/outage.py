"""A driver domain behind a router that goes away under a stream of datagrams and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from xenlab.measure.attachment import Attachment
from xenlab.measure.counters import CounterDelta, CounterSnapshot
from xenlab.measure.drop_names import FORWARDING_DROPS
from xenlab.measure.hops import Drop
from xenlab.measure.outage import Outage
from xenlab.measure.path import DropCounter, Side
from xenlab.plan.model import DOM0, LabPlan, Link
from xenlab.traffic.driver_domain import attach_clients, kill_backend, revive_backend
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.interruption import send_interrupted

RUN_S = 240.0
FORWARDED = "IpForwDatagrams"
# ip_error (net/ipv4/route.c) counts here what a router has no way for.
NO_ROUTE = "IpExtInNoRoutes"


class Going(StrEnum):
    """How a backend goes away."""

    KILLED = "killed"
    UNPLUGGED = "unplugged"


def find_outage(plan: LabPlan) -> tuple[Link, str] | None:
    """A link over a router with another domU's backend behind it, and that one; None without."""
    for link in plan.links():
        ends = {DOM0, link.source, link.sink, link.router}
        behind = link.backends[-1]
        if link.routed and behind not in ends and link.sink_vif and link.router_vifs[-1]:
            return link, behind
    return None


def measure_outage(lab: LabHandle, link: Link, backend: str, going: Going) -> Outage:
    """Send over a link, have the backend behind its router go meanwhile, and come back.

    Unplugged are the vifs of its clients, each with all that its frontend holds.

    Raises LabError when the lab broke, MeasurementError when something could not be counted.
    """
    deadline = lab.budget(RUN_S)

    def interrupt() -> None:
        if going is Going.UNPLUGGED:
            attach_clients(lab, backend, deadline)
            return
        kill_backend(lab, backend, deadline)
        revive_backend(lab, backend, deadline)

    run = send_interrupted(
        lab, link, interrupt, deadline,
        nodes=(link.source, link.router, link.sink), new_nodes=(backend,),
    )  # fmt: skip
    path = run.path
    inner, outer = path.router
    router, after = run.since(link.router), run.after
    return Outage(
        subject=f"{link.source} -> {link.sink} while {backend} is {going}",
        backend=backend,
        stream=run.stream,
        sent=run.sent,
        entered=router.device(inner.device, Side.RX),
        refused=tuple(_refusals(link.router, router)),
        forwarded=router.protocol(FORWARDED),
        sent_anew=_anew(after[link.router], outer, Side.TX),
        received_anew=after[backend].device(outer.vif, Side.RX),
        passed_anew=after[backend].device(path.sink.vif, Side.TX),
        reached_anew=_anew(after[link.sink], path.sink, Side.RX),
        arrived=run.arrived,
    )


def _anew(snapshot: CounterSnapshot, end: Attachment, side: Side) -> int:
    """What a device counts that came to be with the new backend: from its beginning."""
    return snapshot.device(end.device, side)


def _refusals(router: str, delta: CounterDelta) -> Iterator[Drop]:
    for counter in (NO_ROUTE, *(name for name in FORWARDING_DROPS if name.startswith("Ip"))):
        packets = delta.protocol(counter)
        if packets and not counter.startswith("Ip6"):
            yield Drop(place=DropCounter(node=router, counter=counter), packets=packets)
