"""A driver domain killed and brought back, and its clients' vifs attached to the new one."""

from __future__ import annotations

from collections.abc import Sequence

from xenlab.guest.driver import take_up_vifs
from xenlab.plan.model import DOM0, VifPlan
from xenlab.traffic.handle import LabHandle
from xenlab.waiting import Deadline, wait_until
from xenlab.xen.driver_domain import create_domain, destroy_domain
from xenlab.xen.vif import ATTACH_VIFS, SERVE_VIFS, await_vifs, reattach_vif

READY = "xenlab: {node} is ready"
CONNECT_UPLINK = "connect-uplink"  # boot/scripts


def kill_backend(lab: LabHandle, backend: str, deadline: Deadline) -> None:
    """Destroy a driver domain. Its clients keep devices that nobody answers."""
    destroy_domain(lab.shell(DOM0), backend, deadline)


def revive_backend(lab: LabHandle, backend: str, deadline: Deadline) -> None:
    """Have a driver domain that was killed boot again, and all vifs of its networks attached anew.

    Its own as well, if it has any, and the NIC, if that is its. Returns once each of them carries
    packets both ways.
    """
    dom0, said = lab.shell(DOM0), len(lab.console_bytes(backend))
    lab.renumber(backend, create_domain(dom0, backend, deadline))
    marker = READY.format(node=backend).encode()
    what = f"{backend} to say `{marker.decode()}`"
    wait_until(lambda: marker in lab.console_bytes(backend, said), what, deadline)
    lab.shell(backend).run([SERVE_VIFS], deadline=deadline).require_success()
    if backend == lab.plan.nic_owner:
        lab.shell(backend).run([CONNECT_UPLINK], deadline=deadline).require_success()
    dom0.run([ATTACH_VIFS, backend], deadline=deadline).require_success()
    own = [(backend, vif) for vif in lab.plan.domu(backend).vifs]
    _reattach_clients(lab, backend, deadline)
    _take_up(lab, [*own, *_clients(lab, backend)], deadline)


def attach_clients(lab: LabHandle, backend: str, deadline: Deadline) -> None:
    """Unplug all vifs that a backend serves and attach them anew, which are there on return."""
    _reattach_clients(lab, backend, deadline)
    _take_up(lab, _clients(lab, backend), deadline)


def _clients(lab: LabHandle, backend: str) -> list[tuple[str, VifPlan]]:
    """Each domU with a vif that the backend serves."""
    served = [network.name for network in lab.plan.networks if network.backend == backend]
    return [(domu.name, vif) for name in served for domu, vif in lab.plan.vifs_on(name)]


def _reattach_clients(lab: LabHandle, backend: str, deadline: Deadline) -> None:
    for domu, vif in _clients(lab, backend):
        reattach_vif(lab.shell(DOM0), domu, vif.index, deadline)


def _take_up(lab: LabHandle, vifs: Sequence[tuple[str, VifPlan]], deadline: Deadline) -> None:
    """Have the domUs address vifs that were attached; return once each carries packets."""
    for domu in dict.fromkeys(domu for domu, _ in vifs):
        take_up_vifs(lab.shell(domu), deadline)
    for domu, vif in vifs:
        end = lab.shell(lab.plan.network(vif.network).backend)
        await_vifs(end, [lab.vif(domu, vif.index)], deadline)
