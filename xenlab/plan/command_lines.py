"""The whole command lines of Xen, dom0 and each domU: what the lab needs, then the user's words.

The user's come last: of two equal options the last one wins, in Xen as in Linux.
"""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.plan.model import Dom0Iommu, Dom0Kind, DomUPlan, Iommu, LabPlan
from xenlab.plan.uplink import UPLINK_PCI

# Emulation pays for every speculation barrier.
# nmi: an NMI is sent to find out where a Xen that hangs stands; it dumps its registers and ends.
XEN_WORDS = "console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=warning nmi=fatal"
XEN_SPEED_WORDS = "spec-ctrl=no"
# sysrq: `xl sysrq` asks a kernel that hangs where it stands.
LINUX_WORDS = "rdinit=/init random.trust_cpu=on audit=0 panic=0 sysrq_always_enabled"
# Self-tests of ciphers and an encrypted-keys type that nothing here uses: 2 s emulated, per kernel.
# Who takes a probe, a module or a device away waits for RCU every time: three times as long as with
# grace periods that are pressed for (Documentation/RCU: rcupdate.rcu_expedited).
LINUX_SPEED_WORDS = (
    "mitigations=off cryptomgr.notests initcall_blacklist=crypto_kdf108_init,init_encrypted"
    " rcupdate.rcu_expedited=1"
)
CONSOLE_WORDS = "console=hvc0 quiet loglevel=5"
# no_timer_check: Linux counts ticks for some milliseconds of a TSC that goes on while a busy host
# lets an emulated machine wait, and panics where there were too few (kernel/apic/io_apic.c,
# timer_irq_works).
PEER_CONSOLE_WORDS = "console=ttyS0 quiet loglevel=5 no_timer_check"

# A PV dom0 has no huge pages either. With them, and 512 MiB or more, Linux holds a twentieth of its
# memory back (mm/khugepaged.c, set_recommended_min_free_kbytes), and who zeroes what is free before
# a checkpoint runs out of it.
PLAIN_WORDS = "transparent_hugepage=never"


def render_xen_command_line(plan: LabPlan) -> str:
    """Xen's command line, without the path that multiboot puts first."""
    memory = f"dom0_mem={plan.dom0.memory_mib}M,max:{plan.dom0.memory_mib}M"
    vcpus = f"dom0_max_vcpus={plan.dom0.vcpus}"
    iommu = _iommu_words(plan)
    return _join(XEN_WORDS, XEN_SPEED_WORDS, memory, vcpus, *iommu, plan.xen.command_line)


def _iommu_words(plan: LabPlan) -> Iterator[str]:
    """See xen-command-line.pandoc: `dom0`, `iommu`, `dom0-iommu`. What Xen does unasked has none.

    A PVH dom0 is strict in any case, but Xen's log says so only of one that was asked for.

    QEMU's amd-iommu names no IO-APIC in its IVRS table while it remaps no interrupts, which Xen
    takes for a broken table (xen/drivers/passthrough/amd/iommu_acpi.c, parse_ivrs_table). And Xen
    would have intel-iommu read the tables of the CPU, which under emulation are not EPT but NPT: an
    AMD CPU beside an Intel IOMMU exists in QEMU alone.
    """
    if plan.dom0.kind is Dom0Kind.PVH:
        yield "dom0=pvh"
    if plan.dom0.iommu in (Dom0Iommu.STRICT, Dom0Iommu.PASSTHROUGH):
        yield f"dom0-iommu={plan.dom0.iommu}"
    if not plan.xen.iommu:
        yield "iommu=off"
    elif plan.machine.iommu is Iommu.AMD and not plan.machine.interrupt_remapping:
        yield "iommu=no-intremap"
    elif plan.machine.iommu is Iommu.INTEL and plan.dom0.kind is Dom0Kind.PVH:
        yield "iommu=no-sharept"


def render_dom0_command_line(plan: LabPlan) -> str:
    """The arguments of dom0's kernel; without Xen its console is a serial line of QEMU's.

    xen-pciback takes what it is told to hide before any other driver does, to be given to a domU.
    """
    place = CONSOLE_WORDS if plan.xen.boot else f"{PEER_CONSOLE_WORDS} {PLAIN_WORDS}"
    hidden = f"xen-pciback.hide=({UPLINK_PCI})" if plan.nic_domu else ""
    return _join(place, LINUX_WORDS, LINUX_SPEED_WORDS, hidden, plan.dom0.command_line)


def render_peer_command_line() -> str:
    """The arguments of the outside peer's kernel, whose console is a serial line of QEMU's."""
    return _join(PEER_CONSOLE_WORDS, LINUX_WORDS, LINUX_SPEED_WORDS)


def render_domu_command_line(domu: DomUPlan) -> str:
    """The arguments of a domU's kernel; its init finds the node's name there."""
    name = f"xenlab.name={domu.name}"
    return _join(CONSOLE_WORDS, LINUX_WORDS, LINUX_SPEED_WORDS, name, domu.command_line)


def _join(*words: str) -> str:
    return " ".join(word for word in words if word)
