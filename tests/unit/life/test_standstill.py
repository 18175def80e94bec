"""Where dom0's CPUs stand, by what Xen shows when it is asked for its registers."""

from __future__ import annotations

from pathlib import Path

from xenlab.life.standstill import find_cpus

SAID = Path(__file__).with_name("xen-debug-key-0.log").read_bytes()


def test_each_cpu_of_dom0_has_a_place() -> None:
    assert find_cpus(SAID, 2) == (
        "dom0's vCPU 0 at ffffffff81a442b5", "dom0's vCPU 1 at ffffffff81a442b5",
    )  # fmt: skip


def test_nothing_is_said_before_all_have_been_shown() -> None:
    assert find_cpus(SAID.partition(b"vcpu#1 state")[0], 2) is None
    assert find_cpus(b"", 1) is None
