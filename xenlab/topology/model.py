"""Topology: what the user asked for, after every check and with every name resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from xenlab.topology import defaults
from xenlab.topology.kernel_origin import KernelOrigin


class Accel(StrEnum):
    """How QEMU runs the machine; `auto` takes KVM where it proves to work, else TCG."""

    AUTO = "auto"
    KVM = "kvm"
    TCG = "tcg"


class Iommu(StrEnum):
    """The emulated IOMMU of the machine."""

    NONE = "none"
    INTEL = "intel"
    AMD = "amd"


class NicModel(StrEnum):
    """The NIC at the machine's end of the wire to the outside, and whether its DMA is translated.

    e1000e always is, where there is an IOMMU; virtio never; virtio-iommu (`iommu_platform`) is.
    """

    E1000E = "e1000e"
    VIRTIO = "virtio"
    VIRTIO_IOMMU = "virtio-iommu"


class Dom0Kind(StrEnum):
    """How Xen runs dom0."""

    PV = "pv"
    PVH = "pvh"


class Dom0Iommu(StrEnum):
    """What the IOMMU lets dom0's devices reach, in the words of Xen's log.

    relaxed: all memory but Xen's; strict: what is dom0's at that time, so that mapping a grant maps
    it for devices too; passthrough: everything, untranslated.
    """

    RELAXED = "relaxed"
    STRICT = "strict"
    PASSTHROUGH = "passthrough"


class DomUKind(StrEnum):
    """How Xen runs a domU; `pvshim` is a PV guest on a small Xen of its own in a PVH one.

    An `hvm` one has firmware and emulated devices, of a QEMU in dom0, and PV drivers all the same.
    """

    PV = "pv"
    PVH = "pvh"
    HVM = "hvm"
    PVSHIM = "pvshim"

    @property
    def has_firmware(self) -> bool:
        """Whether firmware boots its kernel, a bzImage, and not Xen itself."""
        return self is DomUKind.HVM

    @property
    def boots_as(self) -> DomUKind:
        """The kind whose entry point its kernel needs."""
        return DomUKind.PV if self is DomUKind.PVSHIM else self


@dataclass(frozen=True, slots=True, kw_only=True)
class NicSpec:
    """A NIC of the machine, on a network, and its backend's; an outside peer is at its other end.

    Where the backend is a domU, dom0 passes it through to that one.
    """

    network: str
    model: NicModel = NicModel.E1000E


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSpec:
    """A Xen host that is there already, by SSH; `reset` is the user's command for one that hangs.

    `drivers` lets drivers under test be loaded into its kernel.
    """

    user: str
    host: str
    port: int
    identity: str = defaults.HOST_IDENTITY
    known_hosts: str = defaults.HOST_KNOWN_HOSTS
    reset: str = ""
    drivers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpec:
    """The QEMU guest that boots Xen; `memory_mib` None means as much as its domains need.

    With a `host` there is none: Xen runs there.
    """

    cpus: int = defaults.MACHINE_CPUS
    memory_mib: int | None = None
    accel: Accel = Accel.AUTO
    cpu_model: str = defaults.CPU_MODEL
    iommu: Iommu = Iommu.NONE
    interrupt_remapping: bool = False
    iommu_passthrough: bool = True
    nic: NicSpec | None = None
    host: HostSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class XenSpec:
    """Which Xen to boot; `version` None means the newest one of the suite.

    Without `iommu` it leaves the machine's alone. Without `boot` the machine boots Linux alone.
    """

    suite: str = defaults.SUITE
    version: str | None = None
    command_line: str = ""
    iommu: bool = True
    boot: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSpec:
    """A kernel that dom0 and domUs name."""

    name: str
    origin: KernelOrigin = field(default_factory=KernelOrigin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dom0Spec:
    """What dom0 is to be; `forwarding` makes it a router between the networks.

    `iommu` None is what Xen does unasked: strict for a PVH dom0, relaxed for a PV one.
    """

    kernel: str = defaults.KERNEL
    vcpus: int = defaults.DOM0_VCPUS
    memory_mib: int = defaults.DOM0_MEMORY_MIB
    command_line: str = ""
    forwarding: bool = False
    kind: Dom0Kind = Dom0Kind.PV
    iommu: Dom0Iommu | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VifSpec:
    """One vif of a domU; `mac` None is derived from names, `queues` None is left to the drivers.

    A frontend that is told not to trust its backend grants it nothing but pages of its own.
    """

    network: str
    mtu_bytes: int = defaults.MTU_BYTES
    mac: str | None = None
    queues: int | None = None
    trusted: bool = True
    features: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DomUSpec:
    """What one domU is to be; `forwarding` makes it a router between the networks it is on."""

    name: str
    kernel: str = defaults.KERNEL
    kind: DomUKind = DomUKind.PV
    vcpus: int = defaults.DOMU_VCPUS
    memory_mib: int = defaults.DOMU_MEMORY_MIB
    command_line: str = ""
    vifs: tuple[VifSpec, ...] = ()
    forwarding: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """One network: a bridge in its backend, which is dom0 or a domU (a driver domain)."""

    name: str
    mtu_bytes: int = defaults.MTU_BYTES
    backend: str = defaults.BACKEND


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A whole lab as asked for; `kernels` holds the built-in ones too."""

    name: str
    description: str = ""
    machine: MachineSpec
    xen: XenSpec
    kernels: tuple[KernelSpec, ...]
    dom0: Dom0Spec
    domus: tuple[DomUSpec, ...]
    networks: tuple[NetworkSpec, ...]

    @property
    def needed_memory_mib(self) -> int:
        """The least machine memory that holds Xen, dom0 and every domU."""
        return defaults.needed_machine_mib(
            self.dom0.memory_mib,
            [domu.memory_mib for domu in self.domus],
            amd_iommu=self.machine.iommu is Iommu.AMD,
        )
