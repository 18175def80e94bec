"""What Linux and Xen print when something is wrong: one row a message, with its source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from xenlab.verdict.console_lines import Writer
from xenlab.verdict.outcome import Outcome


class Category(StrEnum):
    """What kind of fault a message reports."""

    PANIC = "panic"
    OOPS = "oops"
    BUG = "BUG"
    KASAN = "KASAN"
    KFENCE = "KFENCE"
    HUNG_TASK = "hung task"
    SOFT_LOCKUP = "soft lockup"
    HARD_LOCKUP = "hard lockup"
    RCU_STALL = "RCU stall"
    LOCKDEP = "lockdep"
    UBSAN = "UBSAN"
    WARNING = "kernel warning"
    OUT_OF_MEMORY = "out of memory"
    REFERENCE_LEAK = "reference leak"
    VIF_DISABLED = "vif disabled"
    PROTOCOL_BROKEN = "ring protocol broken"
    XEN_PANIC = "Xen panic"
    XEN_WARNING = "Xen warning"
    DOMAIN_CRASH = "domain crash"
    IOMMU_FAULT = "IOMMU fault"
    EMULATOR = "emulator fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPattern:
    """One row: who must have written the message, and how its text begins."""

    category: Category
    outcome: Outcome
    pattern: re.Pattern[str]
    writer: Writer = Writer.KERNEL


def _row(category: Category, pattern: str, *, outcome: Outcome = Outcome.CRASH) -> FaultPattern:
    return FaultPattern(category=category, outcome=outcome, pattern=re.compile(pattern))


def _xen(category: Category, pattern: str, *, outcome: Outcome = Outcome.CRASH) -> FaultPattern:
    compiled = re.compile(pattern)
    return FaultPattern(category=category, outcome=outcome, pattern=compiled, writer=Writer.XEN)


# The first row that matches names the fault, so the special ones stand before the general ones.
# Paths are of Linux 6.1 to 7.2 and of Xen 4.17 to 4.20. Patterns match at the start of the message.
FAULT_PATTERNS = (
    # mm/kasan/report.c, mm/kfence/report.c
    _row(Category.KASAN, r"BUG: KASAN: "),
    _row(Category.KFENCE, r"BUG: KFENCE: "),
    # kernel/watchdog.c, kernel/watchdog_hld.c, kernel/workqueue.c
    _row(Category.SOFT_LOCKUP, r"watchdog: BUG: soft lockup - |BUG: soft lockup - "),
    _row(Category.SOFT_LOCKUP, r"BUG: workqueue lockup - "),
    _row(Category.HARD_LOCKUP, r"(?:NMI )?[Ww]atchdog: .*hard (?:LOCKUP|lockup)"),
    # kernel/hung_task.c
    _row(Category.HUNG_TASK, r"INFO: task .+ blocked for more than \d+ seconds"),
    _row(Category.HUNG_TASK, r"INFO: task .+ blocked on .+ likely "),
    # kernel/rcu/tree_stall.h, kernel/rcu/tree_exp.h
    _row(Category.RCU_STALL, r"rcu: INFO: .*(?:stall on CPU|stalls on CPUs/tasks)"),
    # kernel/locking/lockdep.c, include/linux/rcupdate.h; they warn and go on
    _row(
        Category.LOCKDEP,
        r"WARNING: (?:possible (?:circular locking|recursive locking|irq lock inversion)"
        r"|inconsistent lock state|bad unlock balance|suspicious RCU usage|held lock freed"
        r"|lock held when returning|nested lock was not taken|Nested lock was not taken"
        r"|\S+-safe -> \S+-unsafe lock order)"
        r"|BUG: Invalid wait context|\[ BUG: Invalid wait context \]"
        r"|INFO: trying to register non-static key",
        outcome=Outcome.FAIL,
    ),
    # kernel/panic.c
    _row(Category.PANIC, r"Kernel panic - not syncing"),
    _row(
        Category.WARNING,
        r"WARNING: (?:CPU: ?\d+ PID: ?\d+|\S+:\d+) at ",
        outcome=Outcome.FAIL,
    ),
    # arch/x86/mm/fault.c, arch/x86/kernel/traps.c and dumpstack.c
    _row(Category.OOPS, r"BUG: (?:unable to handle|kernel NULL pointer|stack guard page)"),
    _row(Category.OOPS, r"(?:Oops|general protection fault|invalid opcode|double fault)\b"),
    _row(Category.OOPS, r"(?:traps: )?PANIC: double fault|stack segment: "),
    _row(
        Category.OOPS,
        r"(?:divide error|overflow|bounds|int3|alignment check|invalid TSS|segment not present"
        r"|coprocessor segment overrun|control protection fault)[:,].* \[#\d+\]",
    ),
    _row(Category.OOPS, r"unchecked MSR access error", outcome=Outcome.FAIL),
    # lib/bug.c, lib/debugobjects.c, mm/page_alloc.c, kernel/sched/core.c
    _row(Category.BUG, r"kernel BUG at |BUG: "),
    # lib/ubsan.c
    _row(Category.UBSAN, r"UBSAN: ", outcome=Outcome.FAIL),
    # mm/oom_kill.c and warn_alloc of mm/page_alloc.c
    _row(
        Category.OUT_OF_MEMORY,
        r"Out of memory: |.+ invoked oom-killer: |.+: page allocation failure: ",
        outcome=Outcome.FAIL,
    ),
    # net/core/dev.c
    _row(
        Category.REFERENCE_LEAK,
        r"unregister_netdevice: waiting for \S+ to become free",
        outcome=Outcome.FAIL,
    ),
    # drivers/net/xen-netback/netback.c xenvif_fatal_tx_err; the reason stands in the line before
    _row(Category.VIF_DISABLED, r".*fatal error; disabling device", outcome=Outcome.FAIL),
    # drivers/net/xen-netfront.c: the frontend gives up on a backend that breaks the protocol
    _row(Category.PROTOCOL_BROKEN, r".*[Dd]isabled for further use", outcome=Outcome.FAIL),
    # The same, of what it receives: there this line is all that it says
    _row(Category.PROTOCOL_BROKEN, r".*Illegal number of responses \d+", outcome=Outcome.FAIL),
    # xen/drivers/char/console.c panic(), xen/arch/x86/traps.c, xen/include/xen/lib.h
    _xen(Category.XEN_PANIC, r"Panic on CPU \d+|FATAL TRAP|FATAL PAGE FAULT|DOUBLE FAULT"),
    _xen(Category.XEN_PANIC, r"Xen BUG at |Assertion '.*' failed at |Watchdog timer detects "),
    _xen(Category.XEN_PANIC, r"UBSAN: |ubsan: "),
    _xen(Category.XEN_WARNING, r"Xen WARN at ", outcome=Outcome.FAIL),
    # A device's DMA or interrupt that the IOMMU refused: xen/drivers/passthrough/vtd/iommu.c,
    # iommu_page_fault_do_one (its second line, `DMAR: reason 05 - ...`, goes on with the first),
    # and amd/iommu_init.c, parse_event_log_entry with all its event codes
    _xen(
        Category.IOMMU_FAULT,
        r"\[VT-D\](?:DMAR:\[|(?:INTR-REMAP|UNKNOWN): Request device )",
        outcome=Outcome.FAIL,
    ),
    _xen(
        Category.IOMMU_FAULT,
        r"AMD-Vi: (?:IO_PAGE_FAULT|ILLEGAL_DEV_TABLE_ENTRY|\w+_HW_ERROR|ILLEGAL_COMMAND_ERROR"
        r"|IOTLB_INV_TIMEOUT|INVALID_DEV_REQUEST)\b",
        outcome=Outcome.FAIL,
    ),
    # xen/common/domain.c, xen/common/shutdown.c, xen/arch/x86/traps.c
    _xen(Category.DOMAIN_CRASH, r"Domain \d+ (?:\(vcpu#\d+\)|reported) crashed "),
    _xen(Category.DOMAIN_CRASH, r"(?:Hardware Dom|Dom|Domain )\d+ crashed"),
    _xen(Category.DOMAIN_CRASH, r"d\d+v\d+ Unhandled: "),
    # xen/arch/x86/hvm/hvm.c hvm_triple_fault
    _xen(Category.DOMAIN_CRASH, r"d\d+v\d+ Triple fault"),
)  # fmt: skip

# An oops goes on to print these: one event, one fault.
CONSEQUENCES = re.compile(r"Oops: |#PF: |PANIC: |invalid opcode: ")
# A panic that a crash before it led to, perhaps behind the end of its trace: kernel/exit.c,
# kernel/panic.c check_panic_on_warn, kernel/watchdog.c, kernel/hung_task.c, and
# kernel/rcu/tree_stall.h. Any other is a fault of its own, however near it comes.
LATE_CONSEQUENCES = re.compile(
    r"Kernel panic - not syncing: (?:Fatal |softlockup: |hung_task: |RCU Stall|Hard LOCKUP"
    r"|.+: panic_on_warn set|Attempted to kill (?:init|the idle task))"
)
# Xen prints where it was first, and only then why it stopped.
XEN_DUMP = re.compile(r"----\[ Xen-")
# A guest that stands in Xen's own code, with Xen's code segment (__HYPERVISOR_CS): no guest can get
# there. QEMU 7.2's emulation of SVM leaves one so, rarely, on its way out of or into the guest.
XEN_TEXT = re.compile(r"RIP:\s+e008:\[<ffff82d[0-9a-f]+>\]")
HVM_GUEST = re.compile(r"RFLAGS:.*CONTEXT: hvm guest")
# Linux has a handler for every fault: a bug of its own ends in an oops. QEMU 7.2's emulation of SVM
# leaves a guest without any, rarely: seen in PVH guests at ordinary accesses to memory, never in PV
# ones, which need no SVM. Why is not known.
TRIPLE_FAULT = re.compile(r"d\d+v\d+ Triple fault")
# Where a report ends, and where the next begins.
END_OF_TRACE = re.compile(r"---\[ end (?:trace|Kernel panic)")
CUT_HERE = re.compile(r"-+\[ cut here \]-+")

# A frame that the unwinder is sure of; the others carry a question mark. Xen names the source of a
# static function before it: `arch/x86/domain.c#default_idle+0xc6/0xf0`.
FRAME = re.compile(
    r"^\s*(?:RIP:\s+\S+?:|\[<[0-9a-f]+>\] (?:[RFS] )?)?\s*(?:\[<[0-9a-f]+>\] ?)?"
    r"(?P<unsure>\? )?(?:[\w./-]+#)?(?P<function>[A-Za-z_][\w.$]*)\+0x[0-9a-f]+/0x[0-9a-f]+"
)
# Functions that only report, or only let another task run: they stand on top of many traces and
# tell nothing.
REPORTING = re.compile(
    r"^(?:_*dump_stack.*|show_(?:stack|regs|trace).*|print_.*|_*kasan_.*|__asan_.*|kfence_.*|"
    r"__warn.*|warn_.*|report_bug|handle_bug|(?:asm_|xen_asm_)?exc_.*|(?:v|nmi_|mc_)?panic|"
    r"check_panic_on_warn|_*die.*|oops_.*|page_fault_oops|no_context|do_error_trap|do_trap|"
    r"_*ubsan_.*|lockdep_rcu_.*|watchdog_.*|rcu_note_context_switch|rcu_dump_cpu_stacks|"
    r"rcu_sched_clock_irq|sysrq_.*|__handle_sysrq|__schedule_bug|"
    r"_*schedule(?:_timeout(?:_\w+)?)?|msleep)$"
)
