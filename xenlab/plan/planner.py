"""plan_lab: from what the user asked to what will be; pure, and the same every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from types import MappingProxyType

from xenlab.errors import InputError
from xenlab.plan.addresses import (
    DOM0_HOST,
    FIRST_DOMU_HOST,
    IPV4_PREFIX,
    IPV6_PREFIX,
    Subnet,
    bridge_name,
    mac_address,
)
from xenlab.plan.host import FIRST_NETWORK, HostPlan
from xenlab.plan.model import (
    UPLINK,
    Dom0Plan,
    DomUPlan,
    KernelPlan,
    LabPlan,
    MachinePlan,
    NetworkPlan,
    PeerPlan,
    UplinkPlan,
    VifPlan,
    XenPlan,
)
from xenlab.plan.routes import add_routes
from xenlab.topology import defaults
from xenlab.topology.model import (
    Accel,
    Dom0Iommu,
    Dom0Kind,
    DomUSpec,
    Iommu,
    Topology,
    VifSpec,
)
from xenlab.topology.wording import did_you_mean, list_names, quote

GRO = "gro"


def plan_lab(
    topology: Topology,
    *,
    accel: Accel | None = None,
    dom0_kernel: str | None = None,
    domu_kernels: Mapping[str, str] = MappingProxyType({}),
) -> LabPlan:
    """The plan of a topology; what is given beside it takes precedence over the file.

    `domu_kernels` maps domUs to the names of their kernels. Raises InputError for a kernel that
    the topology does not have and for a machine too small.
    """
    asked = _override_kernels(topology, dom0_kernel, domu_kernels)
    return _Planner(asked).plan(accel or asked.machine.accel)


def _override_kernels(
    topology: Topology, dom0_kernel: str | None, domu_kernels: Mapping[str, str]
) -> Topology:
    return replace(
        topology,
        dom0=replace(topology.dom0, kernel=dom0_kernel or topology.dom0.kernel),
        domus=tuple(
            replace(domu, kernel=domu_kernels.get(domu.name, domu.kernel))
            for domu in topology.domus
        ),
    )


def _choose_dom0_iommu(topology: Topology) -> Dom0Iommu | None:
    """What was asked for, or what Xen does unasked (xen/drivers/passthrough/iommu.c)."""
    if topology.machine.iommu is Iommu.NONE or not topology.xen.iommu:
        return None
    strict = topology.dom0.kind is Dom0Kind.PVH
    return topology.dom0.iommu or (Dom0Iommu.STRICT if strict else Dom0Iommu.RELAXED)


def _features(domu: DomUSpec, vif: VifSpec) -> tuple[tuple[str, bool], ...]:
    """Those asked for; a router's netfront never puts packets together, see `backend_rules`."""
    return tuple(
        sorted({**dict(vif.features), **({GRO: False} if domu.forwarding else {})}.items())
    )


class _Planner:
    """Hands out the numbers of one plan: every name, MAC and host number once."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        first = FIRST_NETWORK if topology.machine.host else 1
        self._subnets = {
            network.name: Subnet(number=number)
            for number, network in enumerate(topology.networks, start=first)
        }
        self._next_host = dict.fromkeys(self._subnets, FIRST_DOMU_HOST)
        self._macs = {vif.mac for domu in topology.domus for vif in domu.vifs if vif.mac}

    def plan(self, accel: Accel) -> LabPlan:
        """The whole plan."""
        topology, machine = self._topology, self._machine(accel)
        plan = LabPlan(
            topology_name=topology.name,
            machine=machine,
            xen=XenPlan(
                suite=topology.xen.suite,
                version=topology.xen.version,
                command_line=topology.xen.command_line,
                iommu=topology.xen.iommu,
                boot=topology.xen.boot,
            ),
            kernels=self._kernels(),
            dom0=self._dom0(machine),
            domus=tuple(self._domu(domu) for domu in topology.domus),
            networks=self._networks(),
            uplink=self._uplink(),
            host=HostPlan(**asdict(host)) if (host := topology.machine.host) else None,
        )
        return replace(plan, domus=tuple(add_routes(plan, domu) for domu in plan.domus))

    def _dom0(self, machine: MachinePlan) -> Dom0Plan:
        """dom0; without Xen it has the whole machine."""
        topology = self._topology
        dom0, whole = topology.dom0, not topology.xen.boot
        return Dom0Plan(
            kernel=dom0.kernel,
            vcpus=machine.cpus if whole else dom0.vcpus,
            memory_mib=machine.memory_mib if whole else dom0.memory_mib,
            command_line=dom0.command_line,
            forwarding=dom0.forwarding,
            kind=dom0.kind,
            iommu=_choose_dom0_iommu(topology),
        )

    def _machine(self, accel: Accel) -> MachinePlan:
        asked, needed_mib = self._topology.machine, self._topology.needed_memory_mib
        memory_mib = needed_mib if asked.memory_mib is None else asked.memory_mib
        if memory_mib < needed_mib:
            raise InputError(
                f"topology {quote(self._topology.name)}: a machine of {memory_mib}MiB is too"
                f" little: dom0, the domUs and Xen need {needed_mib}MiB"
            )
        return MachinePlan(
            cpus=asked.cpus,
            memory_mib=memory_mib,
            accel=accel,
            cpu_model=asked.cpu_model,
            iommu=asked.iommu,
            interrupt_remapping=asked.interrupt_remapping,
            iommu_passthrough=asked.iommu_passthrough,
        )

    def _kernels(self) -> tuple[KernelPlan, ...]:
        """The kernels in use: others must not change the checkpoint's key."""
        known = {kernel.name: kernel for kernel in self._topology.kernels}
        used = {self._topology.dom0.kernel, *(domu.kernel for domu in self._topology.domus)}
        if unknown := sorted(used - known.keys()):
            raise InputError(
                *(
                    f"unknown kernel {quote(name)}{did_you_mean(name, known)}"
                    f" (there are {list_names(known)})"
                    for name in unknown
                )
            )
        return tuple(KernelPlan(name=name, origin=known[name].origin) for name in sorted(used))

    def _networks(self) -> tuple[NetworkPlan, ...]:
        # Names that fit go first: a cut one must give way, whatever the order in the file.
        bridges: dict[str, str] = {}
        for name in sorted(self._subnets, key=lambda name: (len(name), name)):
            bridges[name] = bridge_name(name, bridges.values())
        return tuple(
            NetworkPlan(
                name=network.name,
                bridge=bridges[network.name],
                mtu_bytes=network.mtu_bytes,
                address4=self._subnets[network.name].address4(DOM0_HOST),
                prefix4=IPV4_PREFIX,
                address6=self._subnets[network.name].address6(DOM0_HOST),
                prefix6=IPV6_PREFIX,
                backend=network.backend,
            )
            for network in self._topology.networks
        )

    def _domu(self, domu: DomUSpec) -> DomUPlan:
        return DomUPlan(
            name=domu.name,
            kernel=domu.kernel,
            kind=domu.kind,
            vcpus=domu.vcpus,
            memory_mib=domu.memory_mib,
            command_line=domu.command_line,
            vifs=tuple(self._vif(domu, index, vif) for index, vif in enumerate(domu.vifs)),
            forwarding=domu.forwarding,
        )

    def _vif(self, domu: DomUSpec, index: int, vif: VifSpec) -> VifPlan:
        subnet, host = self._subnets[vif.network], self._next_host[vif.network]
        self._next_host[vif.network] += 1
        mac = vif.mac or mac_address(domu.name, index, self._macs)
        self._macs.add(mac)
        return VifPlan(
            index=index,
            network=vif.network,
            mac=mac,
            mtu_bytes=vif.mtu_bytes,
            queues=vif.queues,
            trusted=vif.trusted,
            features=_features(domu, vif),
            address4=subnet.address4(host),
            prefix4=IPV4_PREFIX,
            address6=subnet.address6(host),
            prefix6=IPV6_PREFIX,
        )

    def _uplink(self) -> UplinkPlan | None:
        """The last of all to be given numbers: without it nothing changes for the others."""
        nic = self._topology.machine.nic
        if nic is None:
            return None
        network = next(each for each in self._topology.networks if each.name == nic.network)
        subnet, host = self._subnets[nic.network], self._next_host[nic.network]
        peer_mac = mac_address(defaults.PEER, 0, self._macs)
        return UplinkPlan(
            network=nic.network,
            model=nic.model,
            mac=mac_address(UPLINK, 0, {*self._macs, peer_mac}),
            peer=PeerPlan(
                name=defaults.PEER,
                vcpus=defaults.PEER_VCPUS,
                memory_mib=defaults.PEER_MEMORY_MIB,
                mac=peer_mac,
                mtu_bytes=network.mtu_bytes,
                address4=subnet.address4(host),
                prefix4=IPV4_PREFIX,
                address6=subnet.address6(host),
                prefix6=IPV6_PREFIX,
            ),
        )
