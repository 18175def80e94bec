"""Who is to blame for a silence, by what real Xens said when they were asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.verdict.test_console_scanner import recorded
from xenlab.traffic.hang import Hang, blame_by_dump, find_guest

KEY_D = Path(__file__).with_name("xen-debug-key-d.log").read_bytes()
IDLE = recorded("xen-nmi.log")
AT_WORK = IDLE.replace(b"arch/x86/domain.c#default_idle", b"_spin_lock").replace(
    b"arch/x86/domain.c#idle_loop", b"do_domctl"
)
IN_GUEST = IDLE.replace(b"CONTEXT: hypervisor", b"CONTEXT: pv guest (d0v1)")


def blamed(said: bytes) -> Hang:
    hang = blame_by_dump(said)
    assert hang is not None
    return hang


@pytest.mark.parametrize(
    ("said", "node", "reason"),
    [
        (IDLE, "dom0", "an NMI found Xen idle, in default_idle < idle_loop < context_switch"),
        (IN_GUEST, "dom0", "an NMI found a pv guest (d0v1) at work"),
        (AT_WORK, "xen", "an NMI found Xen at work, in _spin_lock < do_domctl < context_switch"),
    ],
)
def test_dump_of_an_nmi_tells_xen_from_dom0(said: bytes, node: str, reason: str) -> None:
    hang = blamed(said)
    assert (hang.node, hang.reasons[1]) == (node, reason)
    assert hang.reasons[0].startswith("dom0 neither answered nor said anything")


@pytest.mark.parametrize("said", [b"", IDLE.partition(b"Panic on CPU")[0], KEY_D])
def test_without_a_whole_dump_nobody_is_blamed(said: bytes) -> None:
    assert blame_by_dump(said) is None


def test_debug_key_tells_where_a_guest_spins_and_which_is_on_no_cpu() -> None:
    assert find_guest(2, KEY_D) == "e033:[<ffffffffc022e03d>]"
    assert find_guest(0, KEY_D) == "e033:[<ffffffff81a442b5>]"
    assert find_guest(1, KEY_D) is None
