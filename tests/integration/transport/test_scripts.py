"""Scripts over a real SSH server: one shell runs them all, and none can tell."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xenlab.errors import CommandFailed, WaitTimedOut
from xenlab.transport.ssh import SshShell
from xenlab.waiting import Deadline, wait_until

ALL_BYTES = bytes(range(256))
THREADS, SCRIPTS = 4, 20


def test_every_exit_status_of_a_script_is_exact(shell: SshShell) -> None:
    deadline = Deadline.after(60)
    found = [
        shell.run_script('exit "$1"', str(status), deadline=deadline).status
        for status in range(256)
    ]
    assert found == list(range(256))


def test_one_shell_runs_all_scripts_and_keeps_nothing_of_them(shell: SshShell) -> None:
    deadline = Deadline.after(10)
    first = shell.run_script("echo $$; kept=1; cd /; exec 5</dev/null", deadline=deadline)
    again = shell.run_script('echo "$$ $kept$1"; : <&5', deadline=deadline)

    assert again.text == f"{first.text.strip()} \n"
    assert again.status != 0
    assert shell.run_script("pwd", deadline=deadline).text != "/\n"


def test_words_and_both_streams_are_as_they_are(shell: SshShell, tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.write_bytes(ALL_BYTES)
    words = ["a b", "$(exit 3)", "'\"", "*", "\n", ""]

    both = shell.run_script('cat "$1"; cat "$1" >&2', str(content), deadline=Deadline.after(10))
    told = shell.run_script("printf '%s\\0' \"$@\"", *words, deadline=Deadline.after(10))

    assert (both.stdout, both.stderr) == (ALL_BYTES, ALL_BYTES)
    assert told.stdout.decode().split("\0")[:-1] == words


def test_script_that_is_none_fails_and_the_next_one_runs(shell: SshShell) -> None:
    bad = shell.run_script("if; then", deadline=Deadline.after(10))
    assert bad.status != 0
    assert bad.stderr
    assert shell.run_script("echo well", deadline=Deadline.after(10)).text == "well\n"


def test_input_is_nothing_or_what_was_given(shell: SshShell) -> None:
    assert shell.run_script("cat", deadline=Deadline.after(10)).stdout == b""
    given = shell.run_script("cat; exit 3", deadline=Deadline.after(10), stdin=ALL_BYTES)
    assert (given.stdout, given.status) == (ALL_BYTES, 3)


def test_death_of_a_scripts_program_by_a_signal_is_128_and_its_number(shell: SshShell) -> None:
    killed = shell.run_script("sh -c 'kill -TERM $$'", deadline=Deadline.after(10))
    assert killed.status == 128 + signal.SIGTERM


def test_script_that_kills_its_shell_is_told_of_and_the_next_one_has_another(
    shell: SshShell,
) -> None:
    with pytest.raises(CommandFailed, match="a signal ended the shell"):
        shell.run_script("kill -KILL $$", deadline=Deadline.after(10))
    assert shell.run_script("echo well", deadline=Deadline.after(10)).text == "well\n"


def test_script_that_does_not_end_is_left_at_the_deadline(shell: SshShell) -> None:
    with pytest.raises(WaitTimedOut, match="did not end; last seen: half"):
        shell.run_script("echo half; sleep 60", deadline=Deadline.after(0.5))
    assert shell.run_script("echo well", deadline=Deadline.after(10)).text == "well\n"


def test_what_an_orphan_says_later_is_not_of_the_next_command(
    shell: SshShell, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    orphan = '(sleep 0.3; echo late; echo late >&2; : >"$1") & echo started'
    deadline = Deadline.after(10)
    assert shell.run_script(orphan, str(said), deadline=deadline).text == "started\n"
    wait_until(said.exists, "the orphan to have spoken", deadline)

    again = shell.run(["sh", "-c", "echo well; echo well >&2"], deadline=deadline)

    assert (again.stdout, again.stderr) == (b"well\n", b"well\n")


def test_order_of_many_bytes_and_any_characters_is_read_whole(shell: SshShell) -> None:
    words = ["ä€𝄞\u202e" * 5000, "\x01\x7f"]
    told = shell.run_script('printf "%s\\0" "$@"', *words, deadline=Deadline.after(10))
    assert told.stdout.decode().split("\0")[:-1] == words


def test_scripts_and_commands_run_side_by_side(shell: SshShell) -> None:
    def talk(thread: int) -> list[str]:
        deadline = Deadline.after(30)
        said = []
        for number in range(SCRIPTS):
            word = f"{thread} {number}"
            said.append(shell.run_script('echo "$1"', word, deadline=deadline).text.strip())
            said.append(shell.run(["echo", word], deadline=deadline).text.strip())
        return said

    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        for thread, said in enumerate(pool.map(talk, range(THREADS))):
            assert said == [f"{thread} {n}" for n in range(SCRIPTS) for _twice in range(2)]


def test_script_beside_others_speaks_when_it_has_something_to_say(
    shell: SshShell, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    script = 'while [ ! -e "$1" ]; do sleep 0.05; done; echo "$2"'
    with shell.start_script(script, str(flag), "told", deadline=Deadline.after(10)) as running:
        assert not running.speaks(Deadline.after(0.2))
        flag.touch()
        assert running.speaks(Deadline.after(10))
        assert running.speaks(Deadline.after(0))
        assert running.wait(Deadline.after(10)).text == "told\n"
