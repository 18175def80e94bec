"""MTUs of dom0's ends of a link: raised as far as they go, and put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from xenlab.plan.model import DOM0, Link
from xenlab.traffic.handle import LabHandle
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

SETTING_S = 20.0
# The largest that netback takes: drivers/net/xen-netback/interface.c, xenvif_alloc().
VIF_MTU_MAX_BYTES = 65535 - 18


@contextmanager
def widest_mtus(lab: LabHandle, link: Link) -> Iterator[None]:
    """The largest MTU that a vif takes, on dom0's ends; afterwards what it was.

    A bridge forwards no packet above its MTU that is not GSO (net/bridge/br_forward.c).
    """
    ends = ((link.source, link.source_vif), (link.sink, link.sink_vif))
    vifs = [lab.vif(node, vif.index) for node, vif in ends if vif]
    shell = lab.shell(DOM0)
    argv = ["cat", *(f"/sys/class/net/{vif}/mtu" for vif in vifs)]
    before = shell.run(argv, deadline=lab.budget(SETTING_S)).require_success().text.split()
    _set_mtus(shell, dict.fromkeys(vifs, str(VIF_MTU_MAX_BYTES)), lab.budget(SETTING_S))
    try:
        yield
    finally:
        _set_mtus(shell, dict(zip(vifs, before, strict=True)), lab.budget(SETTING_S))


def _set_mtus(shell: Shell, mtus_bytes: Mapping[str, str], deadline: Deadline) -> None:
    lines = [f"link set dev {vif} mtu {mtu_bytes}\n" for vif, mtu_bytes in mtus_bytes.items()]
    batch = "".join(lines).encode()
    shell.run(["ip", "-batch", "-"], deadline=deadline, stdin=batch).require_success()
