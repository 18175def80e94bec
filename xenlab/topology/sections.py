"""The sections of a topology file as pydantic models: types, bounds, and the JSON Schema.

Only this edge knows pydantic. What follows checks across sections (`references`) and makes the
`Topology` (`translation`). An empty section (`alice:`) means that section's defaults.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from xenlab.topology import defaults, fields
from xenlab.topology.host_rules import SSH_PATTERN, check_ssh
from xenlab.topology.model import Accel, Dom0Iommu, Dom0Kind, DomUKind, Iommu, NicModel

Name: TypeAlias = Annotated[
    str,
    AfterValidator(fields.check_name),
    WithJsonSchema({"type": "string", "pattern": fields.NAME_PATTERN}),
]
NodeName: TypeAlias = Annotated[
    str,
    AfterValidator(fields.check_node_name),
    WithJsonSchema({"type": "string", "pattern": fields.NAME_PATTERN}),
]
# Names of networks and kernels are looked up in `references`, which knows what there is.
Reference: TypeAlias = Annotated[
    str, WithJsonSchema({"type": "string", "pattern": fields.NAME_PATTERN})
]
MemoryMib: TypeAlias = Annotated[
    int,
    BeforeValidator(fields.parse_memory),
    WithJsonSchema({"type": "string", "pattern": fields.MEMORY_PATTERN}),
]
Mac: TypeAlias = Annotated[
    str,
    AfterValidator(fields.parse_mac),
    WithJsonSchema({"type": "string", "pattern": fields.MAC_PATTERN}),
]
CommandLine: TypeAlias = Annotated[
    str,
    AfterValidator(fields.check_command_line),
    WithJsonSchema({"type": "string", "pattern": fields.COMMAND_LINE_PATTERN}),
]
Description: TypeAlias = Annotated[
    str,
    AfterValidator(fields.check_description),
    WithJsonSchema({"type": "string", "pattern": fields.DESCRIPTION_PATTERN}),
]
Suite: TypeAlias = Annotated[
    str,
    AfterValidator(
        partial(fields.check_pattern, fields.SUITE_PATTERN, "a Debian suite", "bookworm")
    ),
    WithJsonSchema({"type": "string", "pattern": fields.SUITE_PATTERN}),
]
Package: TypeAlias = Annotated[
    str,
    AfterValidator(
        partial(
            fields.check_pattern,
            fields.PACKAGE_PATTERN,
            "a Debian package",
            defaults.KERNEL_PACKAGE,
        )
    ),
    WithJsonSchema({"type": "string", "pattern": fields.PACKAGE_PATTERN}),
]
Version: TypeAlias = Annotated[
    str,
    AfterValidator(partial(fields.check_pattern, fields.VERSION_PATTERN, "a version", "4.17.5")),
    WithJsonSchema({"type": "string", "pattern": fields.VERSION_PATTERN}),
]
CpuModel: TypeAlias = Annotated[
    str,
    AfterValidator(
        partial(fields.check_pattern, fields.CPU_MODEL_PATTERN, "a CPU of QEMU", defaults.CPU_MODEL)
    ),
    WithJsonSchema({"type": "string", "pattern": fields.CPU_MODEL_PATTERN}),
]
Cpus: TypeAlias = Annotated[int, Field(ge=1, le=defaults.CPUS_MAX)]
MtuBytes: TypeAlias = Annotated[int, Field(ge=defaults.MTU_MIN_BYTES, le=defaults.MTU_MAX_BYTES)]
Feature: TypeAlias = Annotated[
    str,
    AfterValidator(fields.check_feature),
    WithJsonSchema({"type": "string", "enum": list(fields.FEATURES)}),
]
Switch: TypeAlias = Annotated[
    bool,
    BeforeValidator(fields.parse_switch),
    WithJsonSchema({"enum": [True, False, "on", "off"]}),
]


PathText: TypeAlias = Annotated[
    str,
    AfterValidator(partial(fields.check_pattern, fields.PATH_PATTERN, "a path", "~/linux")),
    WithJsonSchema({"type": "string", "pattern": fields.PATH_PATTERN}),
]
Patches: TypeAlias = Annotated[list[PathText], Field(max_length=defaults.PATCHES_MAX)]
Revision: TypeAlias = Annotated[
    str,
    AfterValidator(
        partial(fields.check_pattern, fields.REVISION_PATTERN, "the name of a commit", "v6.12")
    ),
    WithJsonSchema({"type": "string", "pattern": fields.REVISION_PATTERN}),
]


SshAddress: TypeAlias = Annotated[
    str,
    AfterValidator(check_ssh),
    WithJsonSchema({"type": "string", "pattern": SSH_PATTERN}),
]


class Section(BaseModel):
    """What all sections share: no unknown keys, no conversion between types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NicSection(Section):
    """A NIC of the machine, its network's backend's; at the other end of its wire is the `peer`."""

    model: Annotated[NicModel, Field(strict=False)] = NicModel.E1000E
    network: Reference | None = Field(None, description="the only one")


class MachineSection(Section):
    """The QEMU guest that boots Xen, or with `ssh` a host that runs it already."""

    cpus: Cpus = defaults.MACHINE_CPUS
    memory: MemoryMib | None = Field(None, description="as much as its domains need")
    accel: Annotated[Accel, Field(strict=False)] = Accel.AUTO
    cpu_model: CpuModel = defaults.CPU_MODEL
    iommu: Annotated[
        Iommu, Field(strict=False), BeforeValidator(fields.check_iommu_has_a_driver)
    ] = Iommu.NONE
    interrupt_remapping: Switch = Field(
        default=False, description="the IOMMU remaps interrupts too"
    )
    iommu_passthrough: Switch = Field(
        default=True, description="intel-iommu can let DMA through as it is"
    )
    nic: NicSection | None = Field(None, description="none, and no outside peer")
    ssh: SshAddress | None = Field(None, description="a Xen host to use in place of a machine")
    identity: PathText = Field(defaults.HOST_IDENTITY, description="the private key for `ssh`")
    known_hosts: PathText = Field(defaults.HOST_KNOWN_HOSTS, description="has the host's key")
    reset: CommandLine = Field("", description="your command for a host that hangs; none")
    drivers: Switch = Field(default=False, description="drivers under test may be loaded there")


class XenSection(Section):
    """Which Xen to boot, and words for its command line."""

    suite: Suite = defaults.SUITE
    version: Version | None = Field(None, description="the newest of the suite")
    command_line: CommandLine = ""
    iommu: Switch = Field(default=True, description="off: Xen leaves the machine's IOMMU alone")
    boot: Switch = Field(default=True, description="off: Linux alone, a control of the wire")


class KernelSection(Section):
    """A kernel that dom0 and domUs can name: `package`, `source`, `tree` or `image` says whence."""

    suite: Suite = defaults.SUITE
    package: Package = defaults.KERNEL_PACKAGE
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

    kernel: Reference = defaults.KERNEL
    vcpus: Cpus = defaults.DOM0_VCPUS
    memory: MemoryMib = Field(0, description="512MiB, 768MiB where a domU has its QEMU there")
    command_line: CommandLine = ""
    forwarding: bool = False
    type: Annotated[Dom0Kind, Field(strict=False)] = Dom0Kind.PV
    iommu: Annotated[Dom0Iommu, Field(strict=False)] | None = Field(
        None, description="relaxed for a PV dom0, strict for a PVH one"
    )


class VifSection(Section):
    """One vif of a domU; the network may be left away where there is only one."""

    network: Reference | None = None
    mac: Mac | None = Field(None, description="derived from the domU's name")
    mtu: MtuBytes | None = Field(None, description="that of its network")
    queues: Annotated[int, Field(ge=1, le=defaults.QUEUES_MAX)] | None = None
    trusted: Switch = Field(
        default=True, description="off: the frontend copies each packet to pages of its own"
    )
    features: dict[Feature, Switch] = {}


class DomUSection(Section):
    """One domU; without `vifs` it has one vif on the only network, and none as a backend.

    Forwarding makes it a router between the networks that it is on, as backend or by a vif.
    """

    kernel: Reference = defaults.KERNEL
    type: Annotated[DomUKind, Field(strict=False)] = DomUKind.PV
    vcpus: Cpus = defaults.DOMU_VCPUS
    memory: MemoryMib = Field(0, description="192MiB, 384MiB for a shim")
    command_line: CommandLine = ""
    forwarding: bool = False
    vifs: Annotated[list[VifSection], Field(max_length=defaults.VIFS_MAX)] | None = None


class NetworkSection(Section):
    """One bridge in dom0, or in the domU whose netback its vifs have: a driver domain."""

    mtu: MtuBytes = defaults.MTU_BYTES
    backend: Reference = Field(defaults.BACKEND, description="a domU: its driver domain")


class TopologyFile(Section):
    """A xenlab topology: the machine, Xen, dom0, the domUs and the networks between them."""

    description: Description = ""
    machine: MachineSection | None = None
    xen: XenSection | None = None
    kernels: (
        Annotated[dict[Name, KernelSection | None], Field(max_length=defaults.KERNELS_MAX)] | None
    ) = None
    dom0: Dom0Section | None = None
    domus: Annotated[
        dict[NodeName, DomUSection | None],
        Field(max_length=defaults.DOMUS_MAX, description="none without Xen, and only there"),
    ]
    networks: (
        Annotated[dict[Name, NetworkSection | None], Field(max_length=defaults.NETWORKS_MAX)] | None
    ) = None
