"""NamespaceLab: the topology `pair` without Xen, each node a network namespace, each vif a veth.

The kernel of this machine counts at the same places as dom0's and the domUs' do, so that flows,
accounts and verdicts can be tried on real packets. Needs nsenter, unshare, ip and a user that may
make namespaces; what only a real lab has (xenstore, kernel logs) is kept in files.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.traffic.namespace_shell import NamespaceShell
from xenlab.errors import KernelFault, LabError
from xenlab.plan.model import DOM0, LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology
from xenlab.waiting import Deadline

READY = "ready"
# An address joins a group, and IPv6 tells so more than once, over a second: at once here.
MLD_INTERVAL = "/proc/sys/net/ipv6/conf/default/mldv2_unsolicited_report_interval"
# The kernel log of a node is a file: one record a line, as /dev/kmsg is written to.
HOLD = f'mount --bind "$1" /dev/kmsg && echo {READY} && exec cat'


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceLab:
    """See LabHandle."""

    plan: LabPlan
    shells: dict[str, NamespaceShell]
    logs: Path
    forsaken: dict[str, KernelFault] = field(default_factory=dict)

    def shell(self, node: str) -> NamespaceShell:
        return self.shells[node]

    def vif(self, domu: str, index: int) -> str:
        return f"vif{self.domid(domu)}.{index}"

    def domid(self, domu: str) -> int:
        names = [DOM0, *(each.name for each in self.plan.domus)]
        return names.index(domu)

    def renumber(self, domu: str, domid: int) -> None:
        raise LabError(f"{domu} is a namespace, and cannot become {domid}")

    def driver(self, node: str) -> str:
        return f"none in {node}"

    def console_bytes(self, node: str, start: int = 0) -> bytes:
        """As printk would have put the records on a console."""
        records = (self.logs / node).read_bytes().splitlines()
        return b"".join(b"[    1.000000] %s\r\n" % record[3:] for record in records)[start:]

    def forsake(self, node: str, fault: KernelFault) -> None:
        self.forsaken[node] = fault

    @property
    def on_emulated_cpu(self) -> bool:
        return False

    def debug_files(self, node: str) -> dict[str, Path]:  # noqa: ARG002 (nobody knows any)
        return {}

    def require_machine(self) -> None:
        """This machine runs."""

    def host_delay_ms(self) -> int | None:
        return None

    def machine_busy_ns(self) -> int | None:
        return None

    def send_nmi(self) -> None:
        raise LabError("there is no Xen below namespaces")

    def max_skb_frags(self, node: str) -> int:
        path = "/proc/sys/net/core/max_skb_frags"
        return int(self.shell(node).read_file(path, deadline=self.budget(1)))

    def restore_silence(self) -> None:
        """Neighbours are static and nobody speaks IPv6 by itself: see `_address`."""

    def budget(self, seconds: float) -> Deadline:
        return Deadline.after(seconds)

    def command(self, node: str, line: str, *, stdin: bytes = b"") -> None:
        deadline = Deadline.after(10)
        self.shells[node].run(line.split(), deadline=deadline, stdin=stdin).require_success()


@contextmanager
def open_namespace_lab(folder: Path, programs: Path) -> Iterator[NamespaceLab]:
    """The lab `pair`; everything of it goes with its processes. `programs` leads every PATH."""
    plan = plan_lab(load_topology("pair"))
    logs = folder / "kernel-logs"
    logs.mkdir()
    with ExitStack() as stack:
        pids: dict[str, int] = {}
        for node in plan.node_names:
            (logs / node).touch()
            inside = NamespaceShell(where=DOM0, pid=pids[DOM0], programs=programs) if pids else None
            pids[node] = stack.enter_context(_hold_namespace(logs / node, inside))
        lab = NamespaceLab(
            plan=plan,
            logs=logs,
            shells={
                node: NamespaceShell(where=node, pid=pid, programs=programs)
                for node, pid in pids.items()
            },
        )
        _connect(lab, pids)
        yield lab


@contextmanager
def _hold_namespace(log: Path, inside: NamespaceShell | None) -> Iterator[int]:
    """A process in namespaces of its own, the user's being dom0's; ends when its stdin does."""
    user = [] if inside or os.geteuid() == 0 else ["--user", "--map-root-user"]
    enter = inside.enter if inside else []
    argv = [*enter, "unshare", *user, "--net", "--mount", "sh", "-c", HOLD, "sh", str(log)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline().decode().strip() == READY
        try:
            yield holder.pid
        finally:
            holder.stdin.close()


def _connect(lab: NamespaceLab, pids: dict[str, int]) -> None:
    network = lab.plan.networks[0]
    for node in pids:
        lab.command(node, f"cp /dev/stdin {MLD_INTERVAL}", stdin=b"1")
        lab.command(node, "ip link set lo up")
    lab.command(DOM0, f"ip link add name {network.bridge} type bridge mcast_snooping 0")
    for domu in lab.plan.domus:
        vif = lab.vif(domu.name, 0)
        peer = f"type veth peer name eth0 netns {pids[domu.name]} address {domu.vifs[0].mac}"
        lab.command(DOM0, f"ip link add name {vif} {peer}")
        _address(lab, DOM0, vif)
        lab.command(DOM0, f"ip link set {vif} master {network.bridge} up")
    _address(lab, DOM0, network.bridge, network.address4, network.address6)
    for domu in lab.plan.domus:
        _address(lab, domu.name, "eth0", domu.vifs[0].address4, domu.vifs[0].address6)
    _introduce(lab)


def _address(
    lab: NamespaceLab, node: str, device: str, address4: str = "", address6: str = ""
) -> None:
    """No link-local address, no duplicate detection, no solicitations: a device without words."""
    lab.command(node, f"ip link set {device} addrgenmode none multicast off")
    lab.command(node, f"ip link set {device} up")
    if address4:
        lab.command(node, f"ip addr add {address4}/24 dev {device}")
        lab.command(node, f"ip addr add {address6}/64 dev {device} nodad")


def _introduce(lab: NamespaceLab) -> None:
    """Static neighbours everywhere."""
    network = lab.plan.networks[0]
    macs = {domu.name: domu.vifs[0].mac for domu in lab.plan.domus}
    for link in lab.plan.links():
        mac = macs.get(link.sink) or _bridge_mac(lab, network.bridge)
        for address in (link.sink_address4, link.sink_address6):
            lab.command(
                link.source,
                f"ip neigh replace {address} lladdr {mac} nud permanent dev {link.source_device}",
            )


def _bridge_mac(lab: NamespaceLab, bridge: str) -> str:
    argv = ["ip", "-br", "link", "show", bridge]
    return lab.shell(DOM0).run(argv, deadline=Deadline.after(5)).text.split()[2]
