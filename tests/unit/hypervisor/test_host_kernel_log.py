"""The kernel log of a host: the lines of a console, from the time that a lab took the host."""

from __future__ import annotations

from xenlab.hypervisor.host_kernel_log import render_kernel_log

# As /dev/kmsg of a Linux 6.1 gave them, with the dictionary of the third and half of a fourth.
RECORDS = (
    b"6,339,5140900,-;NET: Registered PF_INET6 protocol family\n"
    b"4,340,12000001,-;WARNING: CPU: 0 PID: 1 at mm/slub.c:1\n"
    b"6,341,13500000,c;eth0: a device; with a semicolon\n SUBSYSTEM=net\n DEVICE=n2\n"
    b"6,342,14"
)


def test_only_what_came_behind_the_time_is_rendered_as_a_console_has_it() -> None:
    assert render_kernel_log(RECORDS, 5140900) == (
        b"[   12.000001] WARNING: CPU: 0 PID: 1 at mm/slub.c:1\n"
        b"[   13.500000] eth0: a device; with a semicolon\n"
    )
    assert render_kernel_log(RECORDS, 0).startswith(b"[    5.140900] NET: Registered")


def test_half_a_record_waits_for_its_rest() -> None:
    assert b"14" not in render_kernel_log(RECORDS, 13500000)
    assert render_kernel_log(RECORDS + b"000000,-;x\n", 13500000) == b"[   14.000000] x\n"
