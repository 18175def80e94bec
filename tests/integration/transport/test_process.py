"""Programs of this machine: exact exit status, every byte, and nothing left at the deadline."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xenlab.errors import Unavailable, WaitTimedOut
from xenlab.registry.identity import read_start_ticks
from xenlab.transport.process import run, which
from xenlab.waiting import Deadline, wait_until

SOON = 0.3
TEN_MB = bytes(range(256)) * 40_000


@pytest.mark.parametrize("status", [0, 1, 7, 126, 255])
def test_exit_status_is_exact(status: int) -> None:
    assert run(("sh", "-c", f"exit {status}"), deadline=Deadline.after(10)).status == status


def test_signal_is_a_negative_status() -> None:
    assert run(("sh", "-c", "kill -9 $$"), deadline=Deadline.after(10)).status == -9


def test_ten_megabytes_both_ways_come_through_unchanged() -> None:
    result = run(("sh", "-c", "tee /dev/stderr"), stdin=TEN_MB, deadline=Deadline.after(30))

    assert result.stdout == TEN_MB
    assert result.stderr == TEN_MB


def test_arguments_are_no_shell(tmp_path: Path) -> None:
    result = run(("echo", "$(touch canary)", ";", "*"), cwd=tmp_path, deadline=Deadline.after(10))

    assert result.text == "$(touch canary) ; *\n"
    assert list(tmp_path.iterdir()) == []


def test_environment_is_added_to_and_messages_are_english() -> None:
    script = 'echo "$WORD $LC_ALL $HOME"'
    result = run(("sh", "-c", script), env={"WORD": "mine"}, deadline=Deadline.after(10))

    assert result.text.split() == ["mine", "C.UTF-8", os.environ["HOME"]]


def test_deadline_ends_the_program_and_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"echo started; sleep 60 & echo $$ $! > {pids}; wait"

    with pytest.raises(WaitTimedOut, match="last seen: started"):
        run(("sh", "-c", script), deadline=Deadline.after(SOON))

    shell, child = (int(pid) for pid in pids.read_text().split())
    wait_until(
        lambda: read_start_ticks(shell) is None and read_start_ticks(child) is None,
        "both to end",
        Deadline.after(5),
    )


def test_program_that_is_not_here_is_unavailable_with_its_package() -> None:
    with pytest.raises(Unavailable, match="no-such-program") as unavailable:
        which("no-such-program")

    assert unavailable.value.try_next == "apt-get install no-such-program"


def test_package_with_another_name_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("xenlab.transport.process.ADMIN_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unavailable) as unavailable:
        which("depmod")

    assert unavailable.value.try_next == "apt-get install kmod"


def test_admin_program_is_found_without_it_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")

    assert which("depmod").endswith("/sbin/depmod")


def test_make_that_is_run_below_another_has_none_of_its_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Makefile").write_text("all:\n\t@echo $(origin ARGS)\n")
    outer = "print-env:\n\t@echo '$(MAKEFLAGS)'\n"
    (tmp_path / "outer.mk").write_text(outer)
    argv = ["make", "-f", "outer.mk", "ARGS=--json -", "print-env"]
    flags = run(argv, cwd=tmp_path, deadline=Deadline.after(10)).require_success().text.strip()
    assert "ARGS" in flags
    monkeypatch.setenv("MAKEFLAGS", flags)

    inner = run(["make"], cwd=tmp_path, deadline=Deadline.after(10)).require_success()

    assert inner.text.strip() == "undefined"
