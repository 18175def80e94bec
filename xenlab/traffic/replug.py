"""A vif or the NIC unplugged under a stream of datagrams, and plugged in again."""

from __future__ import annotations

from collections.abc import Callable

from xenlab.guest.driver import take_up_vifs
from xenlab.measure.path import Side
from xenlab.measure.replug import Replug
from xenlab.plan.model import DOM0, DomUPlan, LabPlan, Link
from xenlab.traffic.driver_domain import CONNECT_UPLINK
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.interruption import send_interrupted
from xenlab.traffic.measuring import path_of
from xenlab.waiting import Deadline
from xenlab.xen.vif import await_vifs, reattach_vif

RUN_S = 120.0

# Documentation/ABI/testing/sysfs-driver-pci. Its place on the bus it keeps: a device that is found
# anew has its BARs moved, which Xen 4.17 keeps a PVH dom0 from ("BAR 0: error updating"), pciback a
# domU, whose kernel then dies in e1000_probe(), and which QEMU 7.2's emulation may not survive when
# another CPU is at a device meanwhile (one of some ten died in memory_region_dispatch). Behind
# virtio is one more device.
REPLUG_NIC = """\
set -e
net=/sys/class/net/$1
device=$(readlink -f "$net/device")
case ${device##*/} in virtio*) device=${device%/*} ;; esac
driver=$(readlink -f "$device/driver")
echo "${device##*/}" > "$driver/unbind"
[ ! -e "$net" ] || { echo "$1 is still there" >&2; exit 1; }
echo "${device##*/}" > "$driver/bind"
exec "$2"
"""


def find_vif_way(plan: LabPlan, domu: DomUPlan) -> Link | None:
    """A link to a vif of a domU's from another node; None without.

    The backend itself is none: a bridge loses its carrier with its only port, and all that waits.
    """
    links = (*plan.links(), *plan.uplink_links())
    ways = (link for link in links if link.sink == domu.name and not link.routed)
    return next((way for way in ways if way.sink_vif and way.source != way.backends[-1]), None)


def find_nic_way(plan: LabPlan) -> Link | None:
    """A link from a domU by its vif over the wire; None without."""
    links = (link for link in plan.uplink_links() if link.source_vif and not link.routed)
    return next((link for link in links if plan.is_peer(link.sink)), None)


def measure_vif_replug(lab: LabHandle, link: Link) -> Replug:
    """Send to a domU, and take its vif away meanwhile, with all that its frontend holds.

    Raises as measure_replug(), and ValueError for a link to no vif.
    """
    vif, deadline = link.sink_vif, lab.budget(RUN_S)
    if vif is None:
        raise ValueError(f"{link.sink} has no vif on {link.networks[-1]}")

    def replug() -> None:
        reattach_vif(lab.shell(DOM0), link.sink, vif.index, deadline)
        take_up_vifs(lab.shell(link.sink), deadline)
        await_vifs(lab.shell(link.backends[-1]), [lab.vif(link.sink, vif.index)], deadline)

    return measure_replug(lab, link, replug, f"{link.sink} {vif.device}", deadline)


def measure_nic_replug(lab: LabHandle, link: Link) -> Replug:
    """Send over the wire, and take the NIC from its driver meanwhile, and with it the device.

    Raises as measure_replug().
    """
    owner, deadline = lab.plan.nic_owner, lab.budget(RUN_S)
    port = path_of(lab, link).sink.port

    def replug() -> None:
        told = lab.shell(owner).run_script(REPLUG_NIC, port, CONNECT_UPLINK, deadline=deadline)
        told.require_success()

    return measure_replug(lab, link, replug, f"NIC of {owner}", deadline)


def measure_replug(
    lab: LabHandle, link: Link, replug: Callable[[], None], device: str, deadline: Deadline
) -> Replug:
    """Send over a link, and call what takes the device before its sink away and brings it back.

    Raises LabError when the lab broke, MeasurementError when something could not be counted.
    """
    path = path_of(lab, link)
    backend, port = path.sink.backend, path.sink.port
    first = _read_index(lab, backend, port, deadline)
    nodes = tuple(dict.fromkeys((link.source, backend, link.sink)))
    run = send_interrupted(lab, link, replug, deadline, nodes=nodes)
    entry = None if path.source.is_backend else path.source.port
    return Replug(
        subject=f"{link.source} -> {link.sink} while {device} is unplugged",
        device=device,
        stream=run.stream,
        sent=run.sent,
        entered=run.since(backend).device(entry, Side.RX) if entry else run.sent,
        carried_anew=run.after[backend].device(port, Side.TX),
        arrived=run.arrived,
        is_another=_read_index(lab, backend, port, deadline) != first,
    )


def _read_index(lab: LabHandle, node: str, device: str, deadline: Deadline) -> int:
    """The number of a device: no other has it as long as a kernel runs."""
    return int(lab.shell(node).read_file(f"/sys/class/net/{device}/ifindex", deadline=deadline))
