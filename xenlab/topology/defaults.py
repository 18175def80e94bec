"""Every default and bound of a topology, in one place; memory in MiB."""

from __future__ import annotations

from collections.abc import Collection

TOPOLOGY = "pair"

# Without `+npt` Xen has no HAP and refuses PVH; `max` on QEMU 7.2 kills a PV dom0.
CPU_MODEL = "qemu64,+svm,+npt"
MACHINE_CPUS = 2
SUITE = "bookworm"
KERNEL = "debian"
KERNEL_PACKAGE = "linux-image-amd64"
KERNEL_SOURCE = "linux-source"
KERNEL_REF = "HEAD"
PATH_MAX_CHARS = 4095
PATCHES_MAX = 100
# Kernels that need no entry under `kernels`, so that `--domu-kernel trixie` works everywhere.
BUILT_IN_KERNELS = {
    "debian": "bookworm",
    "bookworm": "bookworm",
    "trixie": "trixie",
    "sid": "sid",
}
DOM0_VCPUS = 2
DOM0_MEMORY_MIB = 512
# It unpacks QEMU and its libraries too; with 512 MiB it hangs as it does.
DEVICE_MODEL_DOM0_MEMORY_MIB = 768
DOMU_VCPUS = 1
DOMU_MEMORY_MIB = 192
# A shim, a Xen of its own, keeps some, and ends where the rest does not hold its guest's kernel and
# ramdisk twice.
SHIM_MEMORY_MIB = 384
# The machine without Xen at the other end of the NIC's wire: it unpacks dom0's root image.
PEER = "peer"
PEER_VCPUS = 1
PEER_MEMORY_MIB = 320
# The largest frame of QEMU's e1000e (82574: DEFAULT_JUMBO of the Linux driver), in round numbers.
E1000E_MTU_MAX_BYTES = 9000
# Of a host that is reached by SSH: what `ssh` itself takes.
SSH_PORT = 22
HOST_IDENTITY = "~/.ssh/id_ed25519"
HOST_KNOWN_HOSTS = "~/.ssh/known_hosts"
NETWORK = "lan"
BACKEND = "dom0"
MTU_BYTES = 1500

# What the machine holds besides its domains: Xen's heap and frame table, SeaBIOS, the multiboot
# modules until dom0 has unpacked them; per domU Xen's own structures (page tables of a PVH domU,
# grant and event channel pages); and a reserve so that `xl` never has to balloon dom0.
XEN_AND_FIRMWARE_MIB = 160
DOMU_OVERHEAD_MIB = 16
RESERVE_MIB = 64

# Xen gives dom0's tables of AMD-Vi as many levels as reach the end of memory; with less than 1 GiB
# these are two, and dom0 crashes at the first device memory above (seen with Xen 4.17; passthrough/
# amd/iommu_map.c and pci_amd_iommu.c, amd_iommu_domain_init, which counts on three).
AMD_IOMMU_MEMORY_MIN_MIB = 1088

MEMORY_MIN_MIB = 64
MEMORY_MAX_MIB = 64 * 1024
CPUS_MAX = 64
QUEUES_MAX = 16
# netback's `max_mtu` is 65535 - VLAN_ETH_HLEN; 68 is the least IPv4 allows (RFC 791).
MTU_MIN_BYTES = 68
MTU_MAX_BYTES = 65535 - 18
# Xen keeps 1024 bytes of its own command line; xenlab adds console, memory and log words.
COMMAND_LINE_MAX_BYTES = 900
DESCRIPTION_MAX_CHARS = 100
DOMUS_MAX = 16
VIFS_MAX = 8
NETWORKS_MAX = 16
KERNELS_MAX = 16

RESERVED_NODE_NAMES = ("dom0", "local", "machine", "xen")


def dom0_memory_mib(*, device_model: bool) -> int:
    """What dom0 gets where the topology does not say."""
    return DEVICE_MODEL_DOM0_MEMORY_MIB if device_model else DOM0_MEMORY_MIB


def domu_memory_mib(*, shim: bool) -> int:
    """What a domU gets where the topology does not say."""
    return SHIM_MEMORY_MIB if shim else DOMU_MEMORY_MIB


def needed_machine_mib(
    dom0_memory_mib: int, domu_memory_mib: Collection[int], *, amd_iommu: bool = False
) -> int:
    """The machine memory that holds dom0, these domUs, Xen, the firmware and the reserve."""
    domus_mib = sum(domu_memory_mib) + DOMU_OVERHEAD_MIB * len(domu_memory_mib)
    needed_mib = XEN_AND_FIRMWARE_MIB + dom0_memory_mib + domus_mib + RESERVE_MIB
    return max(needed_mib, AMD_IOMMU_MEMORY_MIN_MIB) if amd_iommu else needed_mib
