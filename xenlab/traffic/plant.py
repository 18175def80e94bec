"""Planted faults, each with its undo: every rule is seen to fail by at least one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from xenlab.guest.kernel_log import write_kernel_log
from xenlab.plan.model import DOM0, UPLINK, Link
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.measuring import RUN_S
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

PLANT_S = 20.0
# One packet in this many, counted and not drawn, so that a run of as many packets always has one.
EVERY = 1000

MODULES = ("sch_ingress", "sch_netem", "cls_matchall", "act_gact", "act_pedit", "act_mirred")
# How far one action of tc counts (iproute2, tc/m_gact.c, parse_random()).
COUNT_MAX = 10_000
# From the start of the IP header: behind every header of ours, and inside any payload of 80 bytes.
CORRUPT_OFFSET = 100
# How long packets are held so that one can overtake them, and how many there may be meanwhile.
HELD, HELD_MAX = "20ms", 20_000

# What lib/bug.c and kernel/panic.c print, by hand: the console must not know the difference.
WARNING_LINES = (
    "------------[ cut here ]------------",
    "WARNING: CPU: 0 PID: 1 at drivers/net/xenlab/planted.c:1 planted_warning+0x1/0x10",
    "RIP: 0010:planted_warning+0x1/0x10",
    "Call Trace:",
    " planted_caller+0x2/0x20",
    "---[ end trace 0000000000000000 ]---",
)

# $1: the counter that shows traffic, $2: packets to let through first. Every vif is unbound, for
# each of them holds the module.
UNLOAD_NETBACK = """
read first <"$1" || exit 1
echo armed
now=$first
while [ $((now - first)) -lt "$2" ]; do read now <"$1" || exit 1; done
for device in /sys/bus/xen-backend/drivers/vif/vif-*; do
        echo "${device##*/}" >/sys/bus/xen-backend/drivers/vif/unbind || exit 1
done
rmmod xen_netback
"""
UNLOAD_AFTER_PACKETS = 100


class PlantKind(StrEnum):
    """Which fault to plant."""

    DROP = "drop"
    SILENT_DROP = "silent-drop"
    CORRUPT = "corrupt"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    WARN = "warn"
    NETBACK_UNLOAD = "netback-unload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a packet can be met: a device of a node, dom0's if not said, on its way in or out."""

    device: str
    hook: str
    node: str = DOM0


def site_of(lab: LabHandle, link: Link) -> Site:
    """On the way out to the sink's vif or to the wire; to a backend, in from the source's vif.

    Always in the backend of that vif.
    """
    if link.sink_vif is not None:
        device = lab.vif(link.sink, link.sink_vif.index)
        return Site(device=device, hook="egress", node=link.backends[-1])
    if link.sink_device == UPLINK:
        return Site(device=UPLINK, hook="egress", node=link.backends[-1])
    if link.source_vif is None:
        raise ValueError(f"{link.source} -> {link.sink} crosses no vif")
    device = lab.vif(link.source, link.source_vif.index)
    return Site(device=device, hook="ingress", node=link.backends[0])


def tc_action(kind: PlantKind, site: Site, every: int) -> tuple[str, ...]:
    """The actions of one fault, on one packet of `every`; ValueError for what tc cannot do.

    A redirected packet is consumed and not dropped: no drop counter of its path moves, and lo
    throws it away as nobody's.
    """
    before, every = split_count(every)
    chosen: tuple[str, ...] = ("action", "pass", "random", "determ")
    if before > 1:
        chosen = (*chosen, "pipe", str(before), *chosen)
    then = (*chosen, "pipe", str(every), "action")
    mirror = ("mirred", site.hook, "mirror", "dev", site.device)
    match kind:
        case PlantKind.DROP:
            return (*chosen, "drop", str(every))
        case PlantKind.SILENT_DROP:
            return (*then, "mirred", "egress", "redirect", "dev", "lo")
        case PlantKind.CORRUPT:
            return (*then, "pedit", "munge", "offset", str(CORRUPT_OFFSET), "u8", "invert")
        case PlantKind.DUPLICATE:
            return (*then, *mirror)
        case _:
            raise ValueError(f"{kind} is not planted with tc")


def split_count(every: int) -> tuple[int, int]:
    """Two counts that tc can count to, one of them behind the other; ValueError if there are none.

    A prime that is larger is the least of those.
    """
    for before in range(1, COUNT_MAX + 1):
        if every % before == 0 and every // before <= COUNT_MAX:
            return before, every // before
    raise ValueError(f"tc cannot count to {every}")


@contextmanager
def plant_at(lab: LabHandle, site: Site, kind: PlantKind, every: int) -> Iterator[None]:
    """Drop, corrupt or duplicate packets at a place; nothing is left of it afterwards.

    Refused by tc, and so CommandFailed, where the device has such a hook already.
    """
    shell = lab.shell(site.node)
    _run(shell, ["modprobe", "-a", *MODULES], lab.budget(PLANT_S))
    _run(shell, ["tc", "qdisc", "add", "dev", site.device, "clsact"], lab.budget(PLANT_S))
    try:
        where = ["filter", "add", "dev", site.device, site.hook, "matchall"]
        action = tc_action(kind, site, every)
        _run(shell, ["tc", *where, *action], lab.budget(PLANT_S))
        yield
    finally:
        _run(shell, ["tc", "qdisc", "del", "dev", site.device, "clsact"], lab.budget(PLANT_S))


def plant_in_path(
    lab: LabHandle, link: Link, kind: PlantKind, every: int
) -> AbstractContextManager[None]:
    """The same in a backend, where a link's packets pass."""
    return plant_at(lab, site_of(lab, link), kind, every)


@contextmanager
def plant_disorder(lab: LabHandle, link: Link, _kind: PlantKind, every: int) -> Iterator[None]:
    """Let one packet in so many overtake those of the last moments on the way out to the sink."""
    site = site_of(lab, link)
    shell = lab.shell(site.node)
    if site.hook != "egress":
        raise ValueError(f"{link.source} -> {link.sink}: packets overtake on their way to a domU")
    where = ["dev", site.device, "root"]
    _run(shell, ["modprobe", "-a", *MODULES], lab.budget(PLANT_S))
    netem = ["delay", HELD, "reorder", "100%", "gap", str(every), "limit", str(HELD_MAX)]
    _run(shell, ["tc", "qdisc", "add", *where, "netem", *netem], lab.budget(PLANT_S))
    try:
        yield
    finally:
        # What the device had by itself comes back.
        _run(shell, ["tc", "qdisc", "del", *where], lab.budget(PLANT_S))


@contextmanager
def plant_warning(lab: LabHandle, link: Link, _kind: PlantKind, _every: int) -> Iterator[None]:
    """Write a warning into the sink's kernel log. A log has no undo; a restored lab has its own."""
    write_kernel_log(lab.shell(link.sink), WARNING_LINES, lab.budget(PLANT_S))
    yield


@contextmanager
def plant_netback_unload(
    lab: LabHandle, link: Link, _kind: PlantKind, _every: int
) -> Iterator[None]:
    """Take netback away while packets run. No undo: this lab is to be restored, or made anew."""
    site = site_of(lab, link)
    shell = lab.shell(site.node)
    side = "tx_packets" if site.hook == "egress" else "rx_packets"
    counter = f"/sys/class/net/{site.device}/statistics/{side}"
    words = counter, str(UNLOAD_AFTER_PACKETS)
    # As long as a run may take, for it waits for the run's packets.
    deadline = lab.budget(PLANT_S + RUN_S)
    with shell.start_script(UNLOAD_NETBACK, *words, deadline=deadline) as unloading:
        unloading.read_line(deadline)
        yield
        unloading.wait(deadline).require_success()


Planter = Callable[[LabHandle, Link, PlantKind, int], AbstractContextManager[None]]

PLANTERS: Mapping[PlantKind, Planter] = MappingProxyType(
    {
        PlantKind.DROP: plant_in_path,
        PlantKind.SILENT_DROP: plant_in_path,
        PlantKind.CORRUPT: plant_in_path,
        PlantKind.DUPLICATE: plant_in_path,
        PlantKind.REORDER: plant_disorder,
        PlantKind.WARN: plant_warning,
        PlantKind.NETBACK_UNLOAD: plant_netback_unload,
    }
)


def planting(
    lab: LabHandle, link: Link, kind: PlantKind, *, every: int = EVERY
) -> AbstractContextManager[None]:
    """A fault of this kind on this link, as long as the context lasts."""
    return PLANTERS[kind](lab, link, kind, every)


def _run(shell: Shell, argv: list[str], deadline: Deadline) -> None:
    shell.run(argv, deadline=deadline).require_success()
