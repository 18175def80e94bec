"""What a lab leaves behind is found: a process by its environment, a socket, a file."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bench.figures import CONNECTED, LAYOUTS
from bench.programs import ProgramFailed, time_until_line
from bench.soak import run_cycle
from bench.trials import Bench
from bench.workspace import Workspace, open_workspace


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with open_workspace() as opened:
        yield opened


def test_process_left_behind_is_found_by_its_environment_and_not_after_it_ended(
    workspace: Workspace,
) -> None:
    with subprocess.Popen(
        ["cat"], env=workspace.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as left_behind:
        assert left_behind.stdin
        assert left_behind.stdout
        left_behind.stdin.write(b"it runs\n")
        left_behind.stdin.flush()
        left_behind.stdout.readline()
        found = workspace.find_processes()
        left_behind.terminate()

    assert found == (f"process {left_behind.pid}: cat ",)
    assert workspace.find_processes() == ()


def test_socket_and_file_left_behind_are_found(workspace: Workspace) -> None:
    before = workspace.find_files()
    (workspace.root / "state" / "f").touch()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(workspace.root / "run" / "s"))

    assert workspace.find_files() - before == {
        f"socket {workspace.root}/run/s",
        f"file {workspace.root}/state/f",
    }


def test_cycle_whose_up_fails_says_so(workspace: Workspace) -> None:
    cycle = run_cycle(workspace, "cold boot 1", ("--no-such-option",), frozenset())

    assert "up returned 2" in cycle.line


def test_figure_that_cannot_be_had_is_named_and_takes_no_other_with_it(
    workspace: Workspace,
) -> None:
    said: list[str] = []
    bench = Bench(
        workspace=replace(workspace, lab="no/name"),
        runs=1,
        report=said.append,
        wanted=frozenset({CONNECTED, LAYOUTS}),
    )

    assert [outcome.figure for outcome in bench.measure_all()] == [LAYOUTS]
    assert "no/name" in bench.failures["connected"]
    assert any(line.startswith("connected: not measured: ") for line in said)


def test_time_until_line_ends_with_the_line_and_kills_the_program(workspace: Workspace) -> None:
    argv = ("sh", "-c", "echo ready; exec cat /dev/zero")

    assert time_until_line(argv, "^ready$", env=workspace.env, limit_s=10) < 5


def test_time_until_line_fails_when_the_program_ends_without_it(workspace: Workspace) -> None:
    with pytest.raises(ProgramFailed, match="never printed"):
        time_until_line(("echo", "other"), "^ready$", env=workspace.env, limit_s=10)


def test_time_until_line_fails_at_its_limit(workspace: Workspace) -> None:
    with pytest.raises(ProgramFailed, match="never printed"):
        time_until_line(("tail", "-f", "/dev/null"), "^ready$", env=workspace.env, limit_s=0.2)
