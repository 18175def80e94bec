"""The sections of a topology file as pydantic models: types, bounds, and the JSON Schema.

Only this edge knows pydantic. What follows checks across sections (`references`) and makes the
`Topology` (`translation`). An empty section (`alice:`) means that section's defaults. A description
says what a key means and, where the schema has no default, what holds without it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from xenlab.topology import defaults, fields
from xenlab.topology.model import Accel, Dom0Iommu, Dom0Kind, DomUKind, Iommu, NicModel
from xenlab.topology.scalars import (
    CommandLine,
    CpuModel,
    Cpus,
    Description,
    Feature,
    Mac,
    MemoryMib,
    MtuBytes,
    Name,
    NodeName,
    Package,
    Patches,
    PathText,
    Reference,
    Revision,
    SshAddress,
    Suite,
    Switch,
    Version,
)


class Section(BaseModel):
    """What all sections share: no unknown keys, no conversion between types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NicSection(Section):
    """A NIC of the machine, its network's backend's; at the other end of its wire is the `peer`."""

    model: Annotated[NicModel, Field(strict=False)] = Field(
        NicModel.E1000E, description="which NIC QEMU emulates, and whether an IOMMU translates it"
    )
    network: Reference | None = Field(
        None, description="the network whose backend has it; may be left away if there is only one"
    )


class MachineSection(Section):
    """The QEMU guest that boots Xen, or with `ssh` a host that runs it already."""

    cpus: Cpus = Field(defaults.MACHINE_CPUS, description="CPUs of the machine, for all domains")
    memory: MemoryMib | None = Field(
        None, description="memory of the machine; without it as much as its domains need"
    )
    accel: Annotated[Accel, Field(strict=False)] = Field(
        Accel.AUTO, description="KVM or emulation (tcg); auto: KVM where it proves to work"
    )
    cpu_model: CpuModel = Field(
        defaults.CPU_MODEL, description="the CPU, as QEMU's `-cpu` takes it"
    )
    iommu: Annotated[
        Iommu, Field(strict=False), BeforeValidator(fields.check_iommu_has_a_driver)
    ] = Field(Iommu.NONE, description="the IOMMU that QEMU emulates: VT-d (intel) or AMD-Vi (amd)")
    interrupt_remapping: Switch = Field(
        default=False, description="the IOMMU remaps interrupts too"
    )
    iommu_passthrough: Switch = Field(
        default=True, description="off: intel-iommu cannot let DMA through untranslated"
    )
    nic: NicSection | None = Field(
        None, description="a NIC with a wire to an outside peer; without it there is neither"
    )
    ssh: SshAddress | None = Field(None, description="a Xen host to use in place of a machine")
    identity: PathText = Field(defaults.HOST_IDENTITY, description="the private key for `ssh`")
    known_hosts: PathText = Field(
        defaults.HOST_KNOWN_HOSTS, description="the file that has the host's own key, for `ssh`"
    )
    reset: CommandLine = Field("", description="your command that brings back a host that hangs")
    drivers: Switch = Field(
        default=False, description="on: drivers under test may be loaded into the host's kernel"
    )


class XenSection(Section):
    """Which Xen to boot, and words for its command line."""

    suite: Suite = Field(
        defaults.SUITE, description="the Debian suite that Xen and its toolstack come from"
    )
    version: Version | None = Field(
        None, description="the version of the package; without it the newest of the suite"
    )
    command_line: CommandLine = Field("", description="more words for Xen's command line")
    iommu: Switch = Field(default=True, description="off: Xen leaves the machine's IOMMU alone")
    boot: Switch = Field(
        default=True, description="off: the machine boots Linux alone, as a control of the wire"
    )


class KernelSection(Section):
    """A kernel that dom0 and domUs can name: `package`, `source`, `tree` or `image` says whence."""

    suite: Suite = Field(
        defaults.SUITE, description="the Debian suite of the `package` or the `source`"
    )
    package: Package = Field(
        defaults.KERNEL_PACKAGE, description="the Debian package with the kernel"
    )
    source: Package | None = Field(None, description="a Debian source to build: `linux-source`")
    tree: PathText | None = Field(None, description="a git tree of Linux to build")
    ref: Revision = Field(defaults.KERNEL_REF, description="the commit of the tree")
    image: PathText | None = Field(None, description="a bzImage or vmlinux, built elsewhere")
    modules: PathText | None = Field(None, description="the image's lib/modules/<release>")
    config: PathText | None = Field(None, description="the image's .config")
    build: PathText | None = Field(None, description="the image's build tree, for drivers")
    patches: Patches = Field([], description="series by name, patches or folders of them by path")
    configs: Patches = Field([], description="configurations by name, or fragments by path")


class Dom0Section(Section):
    """The control domain; forwarding makes it a router between the networks."""

    kernel: Reference = Field(
        defaults.KERNEL, description="a name from `kernels`, or debian, bookworm, trixie, sid"
    )
    vcpus: Cpus = Field(defaults.DOM0_VCPUS, description="virtual CPUs of dom0")
    memory: MemoryMib = Field(
        0, description="memory; without it 512MiB, or 768MiB where a domU has its QEMU there"
    )
    command_line: CommandLine = Field("", description="more words for its kernel's command line")
    forwarding: bool = Field(default=False, description="true: it routes between the networks")
    type: Annotated[Dom0Kind, Field(strict=False)] = Field(
        Dom0Kind.PV, description="how Xen runs it; pvh needs an IOMMU"
    )
    iommu: Annotated[Dom0Iommu, Field(strict=False)] | None = Field(
        None, description="what its devices reach; without it relaxed for pv, strict for pvh"
    )


class VifSection(Section):
    """One vif of a domU; the network may be left away where there is only one."""

    network: Reference | None = Field(
        None, description="the network it is on; may be left away if there is only one"
    )
    mac: Mac | None = Field(
        None, description="its MAC address; without it one derived from the domU's name"
    )
    mtu: MtuBytes | None = Field(
        None, description="its MTU in bytes; without it that of its network"
    )
    queues: Annotated[int, Field(ge=1, le=defaults.QUEUES_MAX)] | None = Field(
        None, description="its number of queues; without it the drivers choose"
    )
    trusted: Switch = Field(
        default=True, description="off: the frontend copies each packet to pages of its own"
    )
    features: dict[Feature, Switch] = Field(
        {}, description="offloads of the domU's device, switched as `ethtool -K` does"
    )


class DomUSection(Section):
    """One domU; without `vifs` it has one vif on the only network, and none as a backend.

    Forwarding makes it a router between the networks that it is on, as backend or by a vif.
    """

    kernel: Reference = Field(
        defaults.KERNEL, description="a name from `kernels`, or debian, bookworm, trixie, sid"
    )
    type: Annotated[DomUKind, Field(strict=False)] = Field(
        DomUKind.PV, description="how Xen runs it; pvshim: PV on a small Xen of its own"
    )
    vcpus: Cpus = Field(defaults.DOMU_VCPUS, description="virtual CPUs of the domU")
    memory: MemoryMib = Field(0, description="memory; without it 192MiB, or 384MiB for a pvshim")
    command_line: CommandLine = Field("", description="more words for its kernel's command line")
    forwarding: bool = Field(
        default=False, description="true: it routes between the networks that it is on"
    )
    vifs: Annotated[list[VifSection], Field(max_length=defaults.VIFS_MAX)] | None = Field(
        None, description="its vifs; without it one on the only network, and none for a backend"
    )


class NetworkSection(Section):
    """One bridge in dom0, or in the domU whose netback its vifs have: a driver domain."""

    mtu: MtuBytes = Field(defaults.MTU_BYTES, description="the MTU in bytes, also of its vifs")
    backend: Reference = Field(
        defaults.BACKEND, description="who has its bridge and netback: dom0, or a domU by name"
    )


class TopologyFile(Section):
    """A xenlab topology: the machine, Xen, dom0, the domUs and the networks between them."""

    description: Description = Field("", description="one line, for `xenlab topologies`")
    machine: MachineSection | None = Field(
        None, description="the QEMU guest that boots Xen, or a Xen host in its place"
    )
    xen: XenSection | None = Field(None, description="which Xen, and how it is booted")
    kernels: (
        Annotated[dict[Name, KernelSection | None], Field(max_length=defaults.KERNELS_MAX)] | None
    ) = Field(None, description="kernels by name, beside debian, bookworm, trixie and sid")
    dom0: Dom0Section | None = Field(None, description="the control domain")
    domus: Annotated[
        dict[NodeName, DomUSection | None],
        Field(
            max_length=defaults.DOMUS_MAX,
            description="the domUs by name; only without Xen there are none",
        ),
    ]
    networks: (
        Annotated[dict[Name, NetworkSection | None], Field(max_length=defaults.NETWORKS_MAX)] | None
    ) = Field(None, description="the networks by name; without it one, `lan`")
