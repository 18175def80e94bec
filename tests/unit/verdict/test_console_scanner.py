"""ConsoleScanner on recorded consoles, however they are cut and mangled, and on harmless words."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xenlab.verdict.console import (
    FAULTS_MAX,
    ConsoleScanner,
    announce_begin,
    announce_end,
    scan_console,
)
from xenlab.verdict.console_lines import LINE_MAX_BYTES, LineAssembler, Writer
from xenlab.verdict.fault_table import Category
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import verdict_of_error

RECORDED = Path(__file__).parent / "recorded"
CRASHES = sorted(path.name for path in RECORDED.iterdir() if "clean" not in path.name)
MODULE_TRACE = (
    "faulty_deepest",
    "faulty_middle",
    "faulty_init",
    "do_one_initcall",
    "do_init_module",
)


def recorded(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


def found(content: bytes) -> list[tuple[str, Category]]:
    return [(fault.node, fault.category) for fault in scan_console("bob", content)]


@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("linux-clean-boot.log", []),
        ("linux-null-pointer.log", [("bob", Category.OOPS)]),
        ("linux-gpf-panic-on-oops.log", [("bob", Category.OOPS)]),
        ("linux-hung-task.log", [("bob", Category.HUNG_TASK)]),
        ("linux-kasan.log", [("bob", Category.KASAN)]),
        ("linux-lockdep-rcu.log", [("bob", Category.LOCKDEP)]),
        (
            "linux-reader-asleep-spin-panic.log",
            [
                ("bob", Category.WARNING),
                ("bob", Category.HUNG_TASK),
                ("bob", Category.RCU_STALL),
                ("bob", Category.SOFT_LOCKUP),
                ("bob", Category.PANIC),
            ],
        ),
        ("xen-nmi.log", [("xen", Category.XEN_PANIC)]),
        ("xen-triple-fault-emulated.log", [("domain 1", Category.EMULATOR)]),
        ("xen-triple-fault-guest.log", [("domain 1", Category.DOMAIN_CRASH)]),
        (
            "linux-oom-sysrq-crash.log",
            [("bob", Category.OUT_OF_MEMORY), ("bob", Category.PANIC)],
        ),
        (
            "linux-rcu-stall-soft-lockup.log",
            [
                ("bob", Category.RCU_STALL),
                ("bob", Category.SOFT_LOCKUP),
                ("bob", Category.SOFT_LOCKUP),
                ("bob", Category.RCU_STALL),
            ],
        ),
        (
            "linux-warn-atomic-bug.log",
            [
                ("bob", Category.WARNING),
                ("bob", Category.WARNING),
                ("bob", Category.BUG),
                ("bob", Category.WARNING),
                ("bob", Category.BUG),
            ],
        ),
        ("xen-no-dom0.log", [("xen", Category.XEN_PANIC)]),
        ("xen-dom0-crash.log", [("dom0", Category.DOMAIN_CRASH)]),
    ],
)
def test_recorded_console_has_just_these_faults(
    name: str, faults: list[tuple[str, Category]]
) -> None:
    assert found(recorded(name)) == faults


def test_oops_has_the_five_frames_that_led_to_it() -> None:
    (fault,) = scan_console("bob", recorded("linux-null-pointer.log"))
    assert fault.fingerprint == MODULE_TRACE
    assert fault.outcome is Outcome.CRASH
    assert fault.headline == "BUG: kernel NULL pointer dereference, address: 0000000000000010"


@pytest.mark.parametrize(("emulated", "outcome"), [(True, "LAB_ERROR"), (False, "CRASH")])
def test_triple_fault_on_an_emulated_cpu_accuses_no_kernel(emulated: bool, outcome: str) -> None:
    content = recorded("xen-triple-fault-guest.log")
    (fault,) = scan_console("dom0", content, on_emulated_cpu=emulated)

    assert fault.outcome is Outcome[outcome]
    told = verdict_of_error("soak round", "domain 1", fault.error)
    assert told is not None
    assert told.outcome is fault.outcome


@pytest.mark.parametrize("name", ["linux-gpf-panic-on-oops.log", "xen-nmi.log"])
def test_emulated_cpu_excuses_nothing_else(name: str) -> None:
    content = recorded(name)

    assert scan_console("bob", content, on_emulated_cpu=True) == scan_console("bob", content)


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("linux-kasan.log", ("kmalloc_oob_right", "kmalloc_tests_init", "do_one_initcall")),
        ("linux-lockdep-rcu.log", ("__cfq_exit_single_io_context", "cfq_exit_queue")),
        ("linux-hung-task.log", ("faulty_middle", "faulty_init", "do_one_initcall")),
        ("linux-dom0-sysrq-c.log", ("write_sysrq_trigger", "proc_reg_write", "vfs_write")),
        ("xen-nmi.log", ("default_idle", "idle_loop", "context_switch")),
    ],
)
def test_fingerprint_begins_where_the_fault_is_and_not_where_it_is_reported(
    name: str, frames: tuple[str, ...]
) -> None:
    (fault,) = scan_console("dom0", recorded(name))
    assert fault.fingerprint[: len(frames)] == frames


@pytest.mark.parametrize("name", [name for name in CRASHES if "no-dom0" not in name])
def test_fingerprint_is_the_same_at_other_addresses_and_offsets(name: str) -> None:
    """And in another build, in which gcc split functions that it had left whole."""
    content = recorded(name)
    moved = re.sub(rb"\b([a-z_]+)\+0x[0-9a-f]+/0x[0-9a-f]+", rb"\1.isra.0+0x7/0x99", content)
    moved = re.sub(rb"\bffff8[89][0-9a-f]{10}\b", b"ffff888000000010", moved)
    assert moved != content
    told = [(fault.category, fault.fingerprint) for fault in scan_console("dom0", content)]
    assert told == [(fault.category, fault.fingerprint) for fault in scan_console("dom0", moved)]


def test_panic_of_its_own_is_told_though_it_comes_into_the_report_of_a_lockup() -> None:
    lockup, panic = scan_console("bob", recorded("linux-reader-asleep-spin-panic.log"))[-2:]
    assert lockup.fingerprint[0] == "xlfault_spin"
    assert panic.fingerprint[:2] == ("xlfault_panic", "xlfault_write")


@pytest.mark.parametrize(
    "reason",
    [
        b"Fatal exception in interrupt",
        b"softlockup: hung tasks",
        b"hung_task: blocked tasks",
        b"KASAN: panic_on_warn set ...",
        b"Attempted to kill init! exitcode=0x0000000b",
    ],
)
def test_panic_that_a_crash_led_to_is_that_crash(reason: bytes) -> None:
    content = recorded("linux-hung-task.log")
    panicked = content + b"\r\n[   99.000000] Kernel panic - not syncing: %s\r\n" % reason
    assert found(panicked) == found(content)


def test_register_dump_of_xen_is_kept_with_its_panic() -> None:
    (fault,) = scan_console("dom0", recorded("xen-nmi.log"))
    assert (fault.node, fault.outcome) == ("xen", Outcome.CRASH)
    assert fault.headline == "Panic on CPU 0: FATAL TRAP: vec 2, NMI[0000]"
    kept = "\n".join(fault.excerpt)
    assert "RIP:    e008:[<ffff82d0402f9c06>]" in kept
    assert "cr3: 0000000032a10000" in kept
    assert "Xen stack trace from rsp=ffff830047ed7e98" in kept
    assert "Xen call trace:" in kept


def test_warning_fails_and_does_not_crash() -> None:
    warning = scan_console("bob", recorded("linux-warn-atomic-bug.log"))[0]
    assert warning.outcome is Outcome.FAIL
    assert warning.fingerprint == MODULE_TRACE


def test_panic_of_xen_says_why() -> None:
    (fault,) = scan_console("dom0", recorded("xen-no-dom0.log"))
    assert fault.headline.startswith("Panic on CPU 0: dom0 kernel not specified")


@pytest.mark.parametrize("name", CRASHES)
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 20000), max_size=40))
def test_faults_are_the_same_however_the_console_is_cut(name: str, cuts: list[int]) -> None:
    content = recorded(name)
    edges = [0, *sorted(cut for cut in cuts if cut < len(content)), len(content)]
    scanner = ConsoleScanner("bob")
    for start, end in pairwise(edges):
        scanner.feed(content[start:end])
    scanner.finish()
    assert scanner.faults == scan_console("bob", content)


@pytest.mark.parametrize("name", CRASHES)
def test_faults_are_the_same_byte_by_byte(name: str) -> None:
    content = recorded(name)
    scanner = ConsoleScanner("bob")
    for at in range(len(content)):
        scanner.feed(content[at : at + 1])
    scanner.finish()
    assert scanner.faults == scan_console("bob", content)


@pytest.mark.parametrize("name", [name for name in CRASHES if name.startswith("linux")])
@pytest.mark.parametrize("mangling", ["xen", "cr", "utf8", "ansi", "nul", "osc"])
def test_faults_are_found_once_through_every_mangling(name: str, mangling: str) -> None:
    content = recorded(name)
    mangled = {
        # Xen breaks into every ninth line of dom0's.
        "xen": re.sub(
            rb"(\n(?:[^\n]*\n){8}[^\n]{20})",
            rb"\1(XEN) [2026-11-22 10:00:00] d0 went on\r\n",
            content,
        ),
        "cr": content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\r\n"),
        "utf8": content.replace(b"\n", b"\xff\xc3\n"),
        "ansi": content.replace(b"[ ", b"\x1b[0;31m[ ").replace(b"Call", b"\x1b[1mCall\x1b[0m"),
        "nul": content.replace(b": ", b":\0 "),
        "osc": content.replace(b"\r\n", b"\x1b]0;title\x07\r\n"),
    }[mangling]
    assert mangled != content
    assert found(mangled) == found(content)


# F11: words alone are no crash. Only the kernel's own time stamp, or Xen's prefix, makes them one.
@pytest.mark.parametrize(
    "line",
    [
        b"Kernel panic - not syncing: said a user program",
        b"# echo BUG: unable to handle page fault",
        b"not ok 3 - WARNING: CPU: 0 PID: 1 at drivers/net/loopback.c:1",
        b"ok 4 # SKIP Oops: 0002 [#1] is what we look for",
        b"12:00:01 alice myprogram: general protection fault",
        b"[ 12 ] BUG: not a time stamp",
        b"Panic on CPU 0: without the prefix of Xen",
        b"[    1.000000] myprogram[77]: segfault at 0 ip 0 sp 0 error 4",
        b"[    1.000000] traps: myprogram[77] general protection fault ip:401000 sp:7ffc error:0",
        b"[    1.000000] traps: myprogram[77] trap divide error ip:401000 sp:7ffc error:0",
        b"[    1.000000] divide error: what a driver says of its clock",
        b"[    1.000000] Kernel command line: panic=1 oops=panic",
        b"[    1.000000] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on",
        b"(XEN) Hardware Dom0 shutdown: rebooting machine",
        b"(XEN) [2026-11-22 10:00:00] Watchdog enabled",
    ],
)
def test_words_of_a_crash_are_no_crash(line: bytes) -> None:
    assert found(b"\n" + line + b"\n") == []


@pytest.mark.parametrize(
    ("line", "category", "outcome"),
    [
        (b"BUG: KASAN: slab-out-of-bounds in f+0x1/0x2", Category.KASAN, Outcome.CRASH),
        (b"BUG: KFENCE: use-after-free read in f+0x1/0x2", Category.KFENCE, Outcome.CRASH),
        (b"UBSAN: array-index-out-of-bounds in f.c:1:2", Category.UBSAN, Outcome.FAIL),
        (b"WARNING: possible circular locking dependency detected", Category.LOCKDEP, Outcome.FAIL),
        (b"WARNING: suspicious RCU usage", Category.LOCKDEP, Outcome.FAIL),
        (b"WARNING: net/core/dev.c:99 at f+0x1/0x2, CPU#0: a/1", Category.WARNING, Outcome.FAIL),
        (b"Oops: general protection fault, kernel NULL 0x1", Category.OOPS, Outcome.CRASH),
        (b"Oops: Oops: 0002 [#1] SMP", Category.OOPS, Outcome.CRASH),
        (b"divide error: 0000 [#1] PREEMPT SMP NOPTI", Category.OOPS, Outcome.CRASH),
        (b"int3: 0000 [#2] SMP", Category.OOPS, Outcome.CRASH),
        (b"BUG: Bad page state in process a  pfn:1", Category.BUG, Outcome.CRASH),
        (
            b"watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 0",
            Category.HARD_LOCKUP,
            Outcome.CRASH,
        ),
        (
            b"vif vif-1-0 vif1.0: fatal error; disabling device",
            Category.VIF_DISABLED,
            Outcome.FAIL,
        ),
        (
            b"net eth0: Disabled for further use",
            Category.PROTOCOL_BROKEN,
            Outcome.FAIL,
        ),
        (b"net eth0: Illegal number of responses 525", Category.PROTOCOL_BROKEN, Outcome.FAIL),
        (
            b"insmod: page allocation failure: order:5, mode:0x40820(GFP_ATOMIC|__GFP_COMP)",
            Category.OUT_OF_MEMORY,
            Outcome.FAIL,
        ),
        (
            b"unregister_netdevice: waiting for vif1.0 to become free. Usage count = 1",
            Category.REFERENCE_LEAK,
            Outcome.FAIL,
        ),
    ],
)
def test_message_of_the_kernel_has_its_category(
    line: bytes, category: Category, outcome: Outcome
) -> None:
    # F12 and PRINTK_CALLER: behind a prompt without an end of line, and with the caller's number.
    for prefix in (b"[    9.876543] ", b"alice# [    9.876543] ", b"[    9.876543][  T123] "):
        (fault,) = scan_console("alice", prefix + line + b"\n")
        assert (fault.category, fault.outcome, fault.stamp) == (category, outcome, "9.876543")


def test_kernel_log_that_a_program_prints_again_is_not_counted_again() -> None:
    content = recorded("linux-null-pointer.log")
    assert found(content + b"\r\n" + content) == found(content)


def test_crash_of_a_domain_that_xen_reports_belongs_to_that_domain() -> None:
    log = b"(XEN) d3v0 Unhandled: vec 14, #PF[0000]\n(XEN) Domain 3 (vcpu#0) crashed on cpu#1:\n"
    assert found(log) == [("domain 3", Category.DOMAIN_CRASH)]


def test_guest_that_stands_in_xens_own_code_is_a_lab_that_broke() -> None:
    content = recorded("xen-triple-fault-emulated.log")
    assert [fault.outcome for fault in scan_console("dom0", content)] == [Outcome.LAB_ERROR]


def test_triple_fault_in_the_guests_own_code_is_its_crash() -> None:
    content = recorded("xen-triple-fault-emulated.log")
    own = content.replace(b"e008:[<ffff82d0402044a5>]", b"0010:[<ffffffff818d2025>]")
    (fault,) = scan_console("dom0", own)
    assert (fault.node, fault.category, fault.outcome) == (
        "domain 1", Category.DOMAIN_CRASH, Outcome.CRASH,
    )  # fmt: skip


def test_crash_of_dom0_is_one_fault_though_xen_reports_it_too() -> None:
    log = recorded("linux-oom-sysrq-crash.log") + (
        b"\n(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.\n"
    )
    faults = [fault for fault in scan_console("dom0", log) if fault.outcome is Outcome.CRASH]
    assert [(fault.node, fault.category) for fault in faults] == [("dom0", Category.PANIC)]


def test_panic_of_xen_after_its_dump_has_the_frames_of_the_dump() -> None:
    log = b"""\
(XEN) Xen BUG at common/grant_table.c:1234
(XEN) ----[ Xen-4.17.7  x86_64  debug=n  Not tainted ]----
(XEN) CPU:    0
(XEN) RIP:    e008:[<ffff82d04021a2b3>] do_grant_table_op+0x123/0x456
(XEN) Xen call trace:
(XEN)    [<ffff82d04021a2b3>] R do_grant_table_op+0x123/0x456
(XEN)    [<ffff82d0402a1111>] F pv_hypercall+0x1/0x2
(XEN) Panic on CPU 0:
(XEN) Xen BUG at common/grant_table.c:1234
"""
    (fault,) = scan_console("dom0", log)
    assert (fault.node, fault.fingerprint) == ("xen", ("do_grant_table_op", "pv_hypercall"))

    moved = log.split(b"\n", 1)[1]
    (fault,) = scan_console("dom0", moved)
    assert fault.headline == "Panic on CPU 0: Xen BUG at common/grant_table.c:1234"
    assert fault.fingerprint == ("do_grant_table_op", "pv_hypercall")


def test_flood_without_an_end_of_line_is_bounded_and_hides_nothing_after_it() -> None:
    assembler = LineAssembler()
    lines = [line for _ in range(100) for line in assembler.feed(b"x" * 4096)]
    lines += assembler.feed(b"\n[    1.000000] BUG: after the flood\n")
    assert max(len(line.text) for line in lines) <= LINE_MAX_BYTES + 4096
    assert lines[-1].writer is Writer.KERNEL


def test_flood_of_faults_is_bounded() -> None:
    log = b"".join(b"[%5d.000000] BUG: number %d\n" % (at, at) for at in range(FAULTS_MAX + 50))
    assert len(scan_console("bob", log)) == FAULTS_MAX


@given(st.binary(max_size=300))
def test_no_bytes_break_the_scanner(content: bytes) -> None:
    scan_console("bob", content)
    scan_console("bob", b"[    1.000000] " + content + b"(XEN) " + content)


DISABLED = b"[    3.000000] vif vif-1-0 vif1.0: fatal error; disabling device\n"
WARNED = b"[    3.100000] WARNING: CPU: 0 PID: 1 at drivers/net/x.c:1 f+0x1/0x2\n"
PANICKED = b"[    3.200000] Kernel panic - not syncing: planted\n"


def announced(between: bytes, *, category: Category = Category.VIF_DISABLED) -> bytes:
    begin, end = announce_begin(category, "0abc").encode(), announce_end("0abc").encode()
    return b"[    2.000000] %s\n%s[    4.000000] %s\n" % (begin, between, end)


def test_a_fault_that_was_announced_is_excused() -> None:
    assert found(announced(DISABLED)) == []


@pytest.mark.parametrize(
    ("content", "category"),
    [
        (DISABLED + announced(b""), Category.VIF_DISABLED),
        (announced(b"") + DISABLED, Category.VIF_DISABLED),
        (announced(DISABLED).partition(b"[    4")[0], Category.VIF_DISABLED),
        (announced(DISABLED).replace(b"any more 0abc", b"any more 0abd"), Category.VIF_DISABLED),
        (announced(DISABLED).partition(b"\n")[2], Category.VIF_DISABLED),
        (announced(WARNED), Category.WARNING),
        (announced(PANICKED, category=Category.PANIC), Category.PANIC),
    ],
)
def test_nothing_else_is_excused(content: bytes, category: Category) -> None:
    """Not before, not after, not without an end, no other category, and no crash at all."""
    assert found(content) == [("bob", category)]
