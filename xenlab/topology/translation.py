"""Sections of a checked file -> Topology: defaults applied, every reference resolved."""

from __future__ import annotations

from xenlab.topology import defaults
from xenlab.topology.host_rules import parse_ssh
from xenlab.topology.kernel_origin import KernelOrigin
from xenlab.topology.model import (
    Dom0Spec,
    DomUKind,
    DomUSpec,
    HostSpec,
    KernelSpec,
    MachineSpec,
    NetworkSpec,
    NicSpec,
    Topology,
    VifSpec,
    XenSpec,
)
from xenlab.topology.sections import (
    Dom0Section,
    DomUSection,
    KernelSection,
    MachineSection,
    NetworkSection,
    TopologyFile,
    VifSection,
    XenSection,
)


def translate_file(file: TopologyFile, name: str) -> Topology:
    """The topology that a file without problems describes."""
    networks = _networks_of(file)
    return Topology(
        name=name,
        description=file.description,
        machine=_machine_of(file.machine or MachineSection(), next(iter(networks))),
        xen=_xen_of(file.xen or XenSection()),
        kernels=_kernels_of(file),
        dom0=_dom0_of(file.dom0 or Dom0Section(), device_model=_has_device_model(file)),
        domus=tuple(
            _domu_of(domu_name, section or DomUSection(), networks)
            for domu_name, section in file.domus.items()
        ),
        networks=tuple(networks.values()),
    )


def _machine_of(section: MachineSection, first_network: str) -> MachineSpec:
    nic = section.nic
    return MachineSpec(
        host=_host_of(section),
        cpus=section.cpus,
        memory_mib=section.memory,
        accel=section.accel,
        cpu_model=section.cpu_model,
        iommu=section.iommu,
        interrupt_remapping=section.interrupt_remapping,
        iommu_passthrough=section.iommu_passthrough,
        nic=NicSpec(network=nic.network or first_network, model=nic.model) if nic else None,
    )


def _host_of(section: MachineSection) -> HostSpec | None:
    if section.ssh is None:
        return None
    user, host, port = parse_ssh(section.ssh)
    return HostSpec(
        user=user,
        host=host,
        port=port,
        identity=section.identity,
        known_hosts=section.known_hosts,
        reset=section.reset,
        drivers=section.drivers,
    )


def _xen_of(section: XenSection) -> XenSpec:
    return XenSpec(
        suite=section.suite,
        version=section.version,
        command_line=section.command_line,
        iommu=section.iommu,
        boot=section.boot,
    )


def _kernels_of(file: TopologyFile) -> tuple[KernelSpec, ...]:
    sections = {
        **{name: KernelSection(suite=suite) for name, suite in defaults.BUILT_IN_KERNELS.items()},
        **(file.kernels or {}),
    }
    return tuple(
        KernelSpec(name=name, origin=_origin_of(section or KernelSection()))
        for name, section in sections.items()
    )


def _origin_of(section: KernelSection) -> KernelOrigin:
    return KernelOrigin(
        suite=section.suite,
        package=section.package,
        source=section.source or "",
        tree=section.tree or "",
        ref=section.ref,
        image=section.image or "",
        modules=section.modules or "",
        config=section.config or "",
        build=section.build or "",
        patches=tuple(section.patches),
        configs=tuple(section.configs),
    )


def _has_device_model(file: TopologyFile) -> bool:
    return any(section and section.type is DomUKind.HVM for section in file.domus.values())


def _dom0_of(section: Dom0Section, *, device_model: bool) -> Dom0Spec:
    return Dom0Spec(
        kernel=section.kernel,
        vcpus=section.vcpus,
        memory_mib=section.memory or defaults.dom0_memory_mib(device_model=device_model),
        command_line=section.command_line,
        forwarding=section.forwarding,
        kind=section.type,
        iommu=section.iommu,
    )


def _networks_of(file: TopologyFile) -> dict[str, NetworkSpec]:
    sections = file.networks or {defaults.NETWORK: None}
    return {
        name: _network_of(name, section or NetworkSection()) for name, section in sections.items()
    }


def _network_of(name: str, section: NetworkSection) -> NetworkSpec:
    return NetworkSpec(name=name, mtu_bytes=section.mtu, backend=section.backend)


def _domu_of(name: str, section: DomUSection, networks: dict[str, NetworkSpec]) -> DomUSpec:
    default_mib = defaults.domu_memory_mib(shim=section.type is DomUKind.PVSHIM)
    is_backend = any(network.backend == name for network in networks.values())
    unasked = [] if is_backend else [VifSection()]
    vifs = unasked if section.vifs is None else section.vifs
    return DomUSpec(
        name=name,
        kernel=section.kernel,
        kind=section.type,
        vcpus=section.vcpus,
        memory_mib=section.memory or default_mib,
        command_line=section.command_line,
        vifs=tuple(_vif_of(vif, networks) for vif in vifs),
        forwarding=section.forwarding,
    )


def _vif_of(section: VifSection, networks: dict[str, NetworkSpec]) -> VifSpec:
    network = networks[section.network or next(iter(networks))]
    return VifSpec(
        network=network.name,
        mtu_bytes=section.mtu or network.mtu_bytes,
        mac=section.mac,
        queues=section.queues,
        trusted=section.trusted,
        features=tuple(sorted(section.features.items())),
    )
