"""Settings of a running node, set for as long as a context lasts: MTUs and sysctls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from xenlab.guest.sysctl import sysctls_set
from xenlab.plan.model import Link
from xenlab.traffic.handle import LabHandle
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

SETTING_S = 20.0
# The largest that both drivers take: drivers/net/xen-netback/interface.c, xenvif_alloc(), and
# drivers/net/xen-netfront.c, xennet_create_dev().
VIF_MTU_MAX_BYTES = 65535 - 18

# Lines for ip: one start of it for all of them.
BATCH = 'for line; do echo "$line"; done | ip -batch -'


@contextmanager
def mtus_set(lab: LabHandle, node: str, devices: Sequence[str], mtu_bytes: int) -> Iterator[None]:
    """An MTU on devices of a node; afterwards what each had."""
    shell = lab.shell(node)
    argv = ["cat", *(f"/sys/class/net/{device}/mtu" for device in devices)]
    before = shell.run(argv, deadline=lab.budget(SETTING_S)).require_success().text.split()
    _set_mtus(shell, dict.fromkeys(devices, str(mtu_bytes)), lab.budget(SETTING_S))
    try:
        yield
    finally:
        _set_mtus(shell, dict(zip(devices, before, strict=True)), lab.budget(SETTING_S))


@contextmanager
def widest_mtus(lab: LabHandle, *links: Link) -> Iterator[None]:
    """The largest MTU that a vif takes, on the backends' ends; afterwards what it was.

    A bridge forwards no packet above its MTU that is not GSO (net/bridge/br_forward.c).
    """
    ends = [
        end
        for link in links
        for end in ((link.source, link.source_vif), (link.sink, link.sink_vif))
    ]
    vifs: dict[str, dict[str, None]] = {}
    for node, vif in ends:
        if vif:
            of_backend = vifs.setdefault(lab.plan.network(vif.network).backend, {})
            of_backend[lab.vif(node, vif.index)] = None
    with ExitStack() as stack:
        for backend, names in vifs.items():
            stack.enter_context(mtus_set(lab, backend, tuple(names), VIF_MTU_MAX_BYTES))
        yield


@contextmanager
def path_widened(lab: LabHandle, link: Link) -> Iterator[None]:
    """The largest MTU on both ends of every vif of a link, so that a datagram is one packet."""
    ends = ((link.source, link.source_vif), (link.sink, link.sink_vif))
    with ExitStack() as stack:
        stack.enter_context(widest_mtus(lab, link))
        for node, vif in ends:
            if vif:
                stack.enter_context(mtus_set(lab, node, [vif.device], VIF_MTU_MAX_BYTES))
        yield


def sysctl_set(lab: LabHandle, node: str, name: str, value: str) -> AbstractContextManager[None]:
    """A sysctl of a node, by its name with dots; afterwards what it was. See `sysctls_set`."""
    return sysctls_set(lab.shell(node), {name.replace(".", "/"): value}, lab.budget(SETTING_S))


def _set_mtus(shell: Shell, mtus_bytes: Mapping[str, str], deadline: Deadline) -> None:
    lines = [f"link set dev {device} mtu {mtu_bytes}" for device, mtu_bytes in mtus_bytes.items()]
    shell.run_script(BATCH, *lines, deadline=deadline).require_success()
