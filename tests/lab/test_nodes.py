"""Commands in nodes: exact exit codes, whole byte streams, real ssh sessions, whole consoles."""

from __future__ import annotations

import os
import signal

import pytest

from tests.lab.conftest import Xenlab
from xenlab.waiting import Deadline, wait_until

MEGABYTE = 1 << 20
# busybox init starts what is new in its table; the newest offer is the one that clients take.
HURRY = "sed -i 's/serve 100 /serve 1 /' /etc/inittab && kill -HUP 1"
SERVERS = """
for place in /proc/[0-9]*; do
        read -r name 2>/dev/null <$place/comm && [ "$name" = dropbear ] && echo "${place#/proc/}"
done
:
"""

pytestmark = pytest.mark.usefixtures("lab")


@pytest.mark.parametrize("code", [0, 1, 77, 255])
@pytest.mark.parametrize("node", ["dom0", "alice"])
def test_exit_code_is_the_commands(xenlab: Xenlab, node: str, code: int) -> None:
    assert xenlab.run("exec", node, "--", "sh", "-c", f"exit {code}").returncode == code


def test_command_that_a_signal_ends_has_the_code_that_a_shell_gives(xenlab: Xenlab) -> None:
    assert xenlab.run("exec", "alice", "--", "sh", "-c", "kill -9 $$").returncode == 137


def test_words_arrive_as_they_are(xenlab: Xenlab) -> None:
    words = ["a b", "$HOME", "'\"", "-x", "*", "", "ü"]

    said = xenlab.succeed("exec", "alice", "--", "printf", "<%s>\\n", *words)

    assert said.splitlines() == [f"<{word}>" for word in words]


@pytest.mark.parametrize("node", ["dom0", "alice"])
def test_bytes_come_back_as_they_went(xenlab: Xenlab, node: str) -> None:
    content = os.urandom(MEGABYTE) + bytes(range(256))
    done = xenlab.run("exec", node, "--", "cat", stdin=content)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == content


def test_both_outputs_are_kept_apart(xenlab: Xenlab) -> None:
    done = xenlab.run("exec", "bob", "--", "sh", "-c", "echo out; echo err >&2")

    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")


def test_command_that_does_not_read_ends_all_the_same(xenlab: Xenlab) -> None:
    done = xenlab.run("exec", "alice", "--", "sh", "-c", "exit 3", stdin=b"x" * MEGABYTE)

    assert done.returncode == 3


def test_child_that_stays_behind_is_not_waited_for(xenlab: Xenlab) -> None:
    said = xenlab.succeed("exec", "alice", "--", "sh", "-c", "sleep 300 & echo $!")

    xenlab.succeed("exec", "alice", "--", "kill", said.strip())


def test_interrupted_command_ends_in_the_node_too(xenlab: Xenlab) -> None:
    with xenlab.start("exec", "alice", "--", "sh", "-c", "echo on; sleep 4321") as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"on\n"
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=30)

    assert running.returncode == 130
    assert "sleep 4321" not in xenlab.succeed("exec", "alice", "--", "ps")


@pytest.mark.parametrize("node", ["alise", "-oProxyCommand=x", "../x", "$(id)", "alice\x1b[2J"])
def test_node_that_is_not_there_is_refused(xenlab: Xenlab, node: str) -> None:
    for words in (["exec", "--", node, "true"], ["ssh", "--", node], ["logs", "--", node]):
        done = xenlab.run(*words)
        assert done.returncode == 2, words
        assert b"\x1b" not in done.stderr


@pytest.mark.parametrize("node", ["dom0", "bob"])
def test_ssh_is_a_real_session(xenlab: Xenlab, node: str) -> None:
    done = xenlab.run("ssh", node, "--", "hostname; echo $((6 * 7)); exit 33")

    assert done.stdout.split() == [node.encode(), b"42"]
    assert done.returncode == 33


def test_console_begins_at_power_on_and_is_followed(xenlab: Xenlab) -> None:
    with xenlab.start("console", "dom0") as console:
        assert console.stdout is not None
        assert console.stdout.readline().startswith(b"(XEN) Xen version")
        xenlab.succeed("exec", "dom0", "--", "sh", "-c", "echo a line of a test >/dev/console")
        for line in console.stdout:
            if b"a line of a test" in line:
                break
        console.send_signal(signal.SIGINT)
        console.communicate(timeout=30)

    assert console.returncode == 130


@pytest.mark.parametrize("name", ["dom0", "alice", "bob", "libvirtd", "sandbox", "qemu"])
def test_every_log_can_be_read_whole(xenlab: Xenlab, name: str) -> None:
    done = xenlab.run("logs", name)

    assert (done.returncode, done.stderr) == (0, b"")
    if name != "sandbox":
        assert done.stdout


def test_server_that_waits_long_is_replaced_before_its_time_for_a_log_in_is_up(
    xenlab: Xenlab,
) -> None:
    """Planted: it may wait for a second only, so that two are replaced soon."""
    with xenlab.bring_up("renewed") as lab:
        deadline = Deadline.after(60)
        shell = lab.shell("bob", deadline)
        seen = set(shell.run_script(SERVERS, deadline=deadline).text.split())
        known = len(seen)
        shell.run(["sh", "-c", HURRY], deadline=deadline).require_success()

        def replaced_twice() -> bool:
            seen.update(shell.run_script(SERVERS, deadline=deadline).text.split())
            return known > 0 and len(seen) - known >= 3

        wait_until(replaced_twice, "other servers to wait", deadline, last_seen=lambda: str(seen))
        assert xenlab.succeed("exec", "--lab", "renewed", "bob", "--", "hostname") == "bob\n"
