"""The evidence of modes, read from a lab that is up: xl, xenstore, netback and each kernel."""

from __future__ import annotations

from xenlab.errors import MeasurementError
from xenlab.guest.reading import NodeFiles, read_node_files
from xenlab.measure.mode import DomainMode, ModeEvidence, VifMode, parse_created_types
from xenlab.plan.model import DOM0, DomUPlan, VifPlan
from xenlab.together import on_all
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.proof import read_both_ends
from xenlab.verdict.vif import queues_of
from xenlab.xen.rings import DEBUGFS, ring_files

READING_S = 20.0
# Linux Documentation/ABI/stable/sysfs-hypervisor-xen
GUEST_TYPE = "/sys/hypervisor/guest_type"
NET = "/sys/class/net"
# Linux Documentation/ABI/testing/sysfs-class-net-queues: one folder a queue that is in use
TX_QUEUES = tuple(f"{NET}/{device}*/queues/tx-*/tx_timeout" for device in ("eth", "vif"))


def read_mode_evidence(lab: LabHandle) -> ModeEvidence:
    """How every domain and every vif runs. Raises LabError, and MeasurementError for silence."""
    deadline = lab.budget(READING_S)
    listed = lab.shell(DOM0).run(["xl", "list", "-l"], deadline=deadline).require_success()
    created = parse_created_types(listed.text)
    patterns = [GUEST_TYPE, *TX_QUEUES, ring_files("*")]
    files = on_all(
        lambda node: read_node_files(lab.shell(node), patterns, [], deadline),
        lab.plan.domain_names,
    )
    return ModeEvidence(
        domains={
            node: DomainMode(guest_type=_guest_type(node, told), created=created.get(node, ""))
            for node, told in files.items()
        },
        vifs={
            (domu.name, vif.index): _read_vif(lab, domu, vif, files)
            for domu in lab.plan.domus
            for vif in domu.vifs
        },
    )


def _guest_type(node: str, files: NodeFiles) -> str:
    lines = files.files.get(GUEST_TYPE, ())
    if len(lines) != 1:
        raise MeasurementError(f"{node} does not say of what type it is: no {GUEST_TYPE}")
    return lines[0]


def _read_vif(lab: LabHandle, domu: DomUPlan, vif: VifPlan, files: dict[str, NodeFiles]) -> VifMode:
    negotiation = read_both_ends(lab, domu, vif)
    frontend, backend = negotiation.frontend, lab.plan.network(vif.network).backend
    if frontend is None:
        raise MeasurementError(f"xenstore has no frontend of {negotiation.vif}")
    return VifMode(
        queues=queues_of(frontend),
        frontend_queues=_count(files[domu.name], f"{NET}/{vif.device}/queues/"),
        backend_queues=_count(files[backend], f"{DEBUGFS}/{negotiation.vif}/"),
        device_queues=_count(files[backend], f"{NET}/{negotiation.vif}/queues/"),
        # Trusted where it is not said (xen-netfront.c, talk_to_netback()).
        trusted=frontend.keys.get("trusted", "1") != "0",
    )


def _count(files: NodeFiles, folder: str) -> int:
    return sum(path.startswith(folder) for path in files.files)
