"""The rule of consoles, seen to pass, to fail, to crash and to be inconclusive."""

from __future__ import annotations

from tests.unit.verdict.test_console_scanner import recorded
from xenlab.traffic.plant import WARNING_LINES
from xenlab.verdict.console import scan_console
from xenlab.verdict.console_rule import judge_console
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict


def judged(content: bytes, *, control_seen: bool = True) -> Verdict:
    faults = scan_console("bob", content)
    return judge_console(
        "console of bob", faults, log_bytes=len(content), control_seen=control_seen
    )


def test_console_without_faults_passes() -> None:
    content = recorded("linux-clean-boot.log")
    verdict = judged(content)
    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers == {"faults": 0, "log_bytes": len(content)}


def test_console_that_did_not_show_the_control_line_is_inconclusive() -> None:
    verdict = judged(recorded("linux-clean-boot.log"), control_seen=False)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.control == "control line not seen"


def test_planted_warning_fails_with_its_frames() -> None:
    log = "".join(f"[    2.000000] {line}\r\n" for line in WARNING_LINES).encode()
    verdict = judged(log)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (
        (
            "kernel warning in bob: WARNING: CPU: 0 PID: 1 at drivers/net/xenlab/planted.c:1"
            " planted_warning+0x1/0x10 [planted_warning < planted_caller]"
        ),
    )
    assert verdict.node == ""


def test_crash_names_its_kernel_even_without_the_control_line() -> None:
    verdict = judged(recorded("linux-null-pointer.log"), control_seen=False)
    assert verdict.outcome is Outcome.CRASH
    assert verdict.node == "bob"


def test_fault_that_came_again_is_one_reason() -> None:
    verdict = judged(recorded("linux-rcu-stall-soft-lockup.log"))
    assert len(verdict.reasons) == 2
    assert all(reason.endswith("(2 times)") for reason in verdict.reasons)
    assert verdict.numbers["faults"] == 4


def test_many_faults_are_told_in_few_lines() -> None:
    log = b"".join(b"[%5d.000000] BUG: kind %s\n" % (at, b"x" * at) for at in range(30))
    verdict = judged(log)
    assert len(verdict.reasons) == 11
    assert verdict.reasons[-1] == "and 20 more"
