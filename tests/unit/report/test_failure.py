"""A failure names what, in which phase, the last console lines, the log, and what to try."""

from __future__ import annotations

from xenlab.errors import BootFailed, InputError, KernelFault, Unavailable
from xenlab.report.failure import render_failure


def test_failed_boot_tells_everything_in_this_order() -> None:
    error = BootFailed(
        "alice hangs",
        phase="boot alice",
        console_tail=("[ 1.0] one", "\x1b[31mtwo\x1b[0m"),
        log_path="/state/alice.console.log",
        try_next="xenlab doctor",
    )

    assert list(render_failure(error)) == [
        "xenlab: alice hangs",
        "  phase: boot alice",
        "  the last 2 console lines:",
        "    | [ 1.0] one",
        "    | two",
        "  log: /state/alice.console.log",
        "  try: xenlab doctor",
    ]


def test_problems_in_files_begin_with_their_place_and_others_with_our_name() -> None:
    error = InputError("a b/x.yaml:3:7: no such network", "no lab is up")

    assert list(render_failure(error)) == [
        "a b/x.yaml:3:7: no such network",
        "xenlab: no lab is up",
    ]


def test_what_is_missing_comes_with_the_command_that_provides_it() -> None:
    error = Unavailable("no `bwrap`", try_next="apt-get install bubblewrap")

    assert list(render_failure(error)) == [
        "xenlab: no `bwrap`",
        "  try: apt-get install bubblewrap",
    ]


def test_crash_of_a_kernel_shows_what_its_console_says() -> None:
    error = KernelFault("bob", "panic at 0010:foo", ("Kernel panic \x1b]0;x\x07- not syncing",))

    assert list(render_failure(error)) == [
        "xenlab: bob crashed: panic at 0010:foo",
        "  its console says:",
        "    | Kernel panic - not syncing",
    ]
