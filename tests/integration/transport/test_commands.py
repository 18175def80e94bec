"""F24, over a real SSH server: exact exit status, every byte, no wait for what stays behind."""

from __future__ import annotations

import hashlib
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xenlab.errors import CommandFailed, ConnectionLost, WaitTimedOut
from xenlab.registry.identity import read_start_ticks
from xenlab.transport.ssh import SshShell
from xenlab.waiting import Deadline, wait_until

ALL_BYTES = bytes(range(256))
MEGABYTE = ALL_BYTES * 4096
ORPHAN_S = 5


def test_every_exit_status_is_exact(shell: SshShell) -> None:
    deadline = Deadline.after(60)
    found = [
        shell.run(["sh", "-c", f"exit {status}"], deadline=deadline).status for status in range(256)
    ]
    assert found == list(range(256))


@pytest.mark.parametrize("number", ["HUP", "INT", "ABRT", "KILL", "SEGV", "TERM"])
def test_death_by_a_signal_is_128_and_its_number(shell: SshShell, number: str) -> None:
    result = shell.run(["sh", "-c", f"kill -{number} $$"], deadline=Deadline.after(10))
    assert result.status == 128 + signal.Signals[f"SIG{number}"]


def test_death_of_the_shell_itself_is_told_as_that(shell: SshShell) -> None:
    with pytest.raises(CommandFailed, match="a signal ended the shell"):
        shell.run(["sh", "-c", "kill -KILL $PPID"], deadline=Deadline.after(10))
    assert shell.run(["true"], deadline=Deadline.after(10)).status == 0


def test_arguments_arrive_as_they_are(shell: SshShell, tmp_path: Path) -> None:
    words = ["a b", "$(touch canary)", "'\"", "*", "-oProxyCommand=x", "\n", "\u202eevil", ""]
    canary = tmp_path / "server/home/canary"

    result = shell.run(["printf", "%s\\0", *words], deadline=Deadline.after(10))

    assert result.stdout.decode().split("\0")[:-1] == words
    assert not canary.exists()


def test_both_streams_carry_any_byte(shell: SshShell) -> None:
    result = shell.run(
        ["sh", "-c", "tee /dev/stderr"], deadline=Deadline.after(10), stdin=ALL_BYTES
    )
    assert (result.stdout, result.stderr) == (ALL_BYTES, ALL_BYTES)


def test_ten_megabytes_on_both_streams_at_once_do_not_block(shell: SshShell) -> None:
    script = "head -c 10000000 /dev/zero >&2 & head -c 10000000 /dev/zero; wait"
    result = shell.run(["sh", "-c", script], deadline=Deadline.after(30))
    assert (len(result.stdout), len(result.stderr)) == (10_000_000, 10_000_000)


def test_stderr_first_and_much_of_it_does_not_block(shell: SshShell) -> None:
    script = "head -c 10000000 /dev/zero >&2; echo done"
    result = shell.run(["sh", "-c", script], deadline=Deadline.after(30))
    assert result.text == "done\n"
    assert len(result.stderr) == 10_000_000


def test_hundred_megabytes_come_through_unchanged(shell: SshShell) -> None:
    content = MEGABYTE * 100
    result = shell.run(["cat"], deadline=Deadline.after(60), stdin=content)
    assert hashlib.sha256(result.stdout).digest() == hashlib.sha256(content).digest()
    assert result.status == 0


def test_input_that_nobody_reads_does_not_block(shell: SshShell) -> None:
    result = shell.run(["sh", "-c", "exit 3"], deadline=Deadline.after(10), stdin=MEGABYTE * 10)
    assert result.status == 3


def test_status_is_awaited_after_all_output_was_closed(shell: SshShell) -> None:
    script = "exec >&- 2>&-; sleep 0.5; exit 7"
    result = shell.run(["sh", "-c", script], deadline=Deadline.after(10))
    assert result.status == 7


def test_command_that_closed_its_output_and_goes_on_is_left_at_the_deadline(
    shell: SshShell,
) -> None:
    with pytest.raises(WaitTimedOut):
        shell.run(["sh", "-c", "exec >&- 2>&-; sleep 60"], deadline=Deadline.after(0.5))


def test_orphan_that_holds_the_output_open_is_not_awaited(shell: SshShell) -> None:
    script = f"sleep {ORPHAN_S} & echo started"
    result = shell.run(["sh", "-c", script], deadline=Deadline.after(10))
    assert result.text == "started\n"
    assert result.elapsed_s < ORPHAN_S / 2


def test_command_that_does_not_end_is_left_at_the_deadline(shell: SshShell) -> None:
    started_s = time.monotonic()
    with pytest.raises(WaitTimedOut, match=r"dom0: `sh -c .* did not end; last seen: half"):
        shell.run(["sh", "-c", "echo half; exec sleep 60"], deadline=Deadline.after(0.5))
    assert time.monotonic() - started_s < 2
    assert shell.run(["true"], deadline=Deadline.after(10)).status == 0


def test_files_of_any_content_are_written_and_read_back(shell: SshShell, tmp_path: Path) -> None:
    path = str(tmp_path / "with ' and \" and $HOME")
    shell.write_file(path, MEGABYTE, deadline=Deadline.after(10))
    assert shell.read_file(path, deadline=Deadline.after(10)) == MEGABYTE


def test_pseudo_file_is_read_whole(shell: SshShell) -> None:
    assert b"Linux" in shell.read_file("/proc/version", deadline=Deadline.after(10))


def test_file_that_cannot_be_written_fails_with_the_reason(shell: SshShell) -> None:
    with pytest.raises(CommandFailed, match=r"(?i)no such file|nonexistent|directory"):
        shell.write_file("/no/such/folder/file", b"x", deadline=Deadline.after(10))


def test_started_command_is_read_line_by_line_beside_others(shell: SshShell) -> None:
    deadline = Deadline.after(10)
    script = 'echo one; echo two; read word; echo "$word"; printf rest; exit 9'
    with shell.start(["sh", "-c", script], deadline=deadline) as command:
        assert command.read_line(deadline) == b"one"
        assert shell.run(["echo", "beside"], deadline=deadline).text == "beside\n"
        assert command.read_line(deadline) == b"two"
        result = command.wait(deadline)
    assert result.stdout == b"\nrest"
    assert result.status == 9


def test_started_command_is_sent_a_signal_and_one_that_has_ended_is_not(shell: SshShell) -> None:
    deadline = Deadline.after(10)
    script = "trap 'echo told; exit 3' USR1; echo ready; while :; do sleep 0.1; done"
    with shell.start(["sh", "-c", script], deadline=deadline) as command:
        assert command.read_line(deadline) == b"ready"
        command.signal("USR1", deadline)
        result = command.wait(deadline)
        command.signal("USR1", deadline)
    assert (result.stdout, result.status) == (b"told\n", 3)


def test_many_lines_are_read_in_time_that_grows_with_their_number(shell: SshShell) -> None:
    deadline = Deadline.after(20)
    with shell.start(["seq", "100000"], deadline=deadline) as command:
        lines = [int(command.read_line(deadline)) for _ in range(100_000)]
    assert lines == list(range(1, 100_001))


def test_started_command_that_ends_its_output_says_why(shell: SshShell) -> None:
    deadline = Deadline.after(10)
    with (
        shell.start(["sh", "-c", "echo reason >&2; exit 4"], deadline=deadline) as command,
        pytest.raises(ConnectionLost, match="ended its output: reason"),
    ):
        command.read_line(deadline)


def test_started_command_that_is_silent_is_left_at_the_deadline(shell: SshShell) -> None:
    with (
        shell.start(["sleep", "60"], deadline=Deadline.after(10)) as command,
        pytest.raises(WaitTimedOut),
    ):
        command.read_line(Deadline.after(0.3))


def test_started_command_is_killed_at_the_end_of_its_context(shell: SshShell) -> None:
    deadline = Deadline.after(10)
    with shell.start(["sh", "-c", "echo $$; exec sleep 60"], deadline=deadline) as command:
        pid = int(command.read_line(deadline))
        assert read_start_ticks(pid) is not None

    wait_until(lambda: read_start_ticks(pid) is None, "the command to end", Deadline.after(5))


def test_commands_that_are_killed_leave_their_connections_for_others(shell: SshShell) -> None:
    """A domU has memory for the channels of some thirty connections."""
    for _ in range(5):
        with shell.start(["sleep", "60"], deadline=Deadline.after(10)):
            pass

    # One for the command, one for what kills it.
    assert len(shell.pool.connections) <= 2


def test_commands_that_begin_while_others_end_run_all(shell: SshShell) -> None:
    """No message of a channel that ended meets a new one that has its number."""

    def run_many(number: int) -> set[int]:
        argv = ["sh", "-c", f"exit {number}"]
        return {shell.run(argv, deadline=Deadline.after(60)).status for _ in range(60)}

    with ThreadPoolExecutor(max_workers=6) as pool:
        assert list(pool.map(run_many, range(6))) == [{number} for number in range(6)]
