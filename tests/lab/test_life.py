"""A lab's life: it comes up, says so when asked again, and leaves nothing when it goes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.lab.conftest import Xenlab
from xenlab.waiting import Deadline, wait_until

# Xen cannot make a dom0 of one megabyte, and says so before it panics.
HOPELESS = "xen: {command_line: 'dom0_mem=1M,max:1M'}\ndomus: {alice: {}}\n"


def record(xenlab: Xenlab, name: str) -> dict[str, object]:
    """What is on the disk of a lab."""
    text = (xenlab.state / "labs" / name / "record.json").read_text()
    content: dict[str, object] = json.loads(text)
    return content


def leftovers(xenlab: Xenlab, name: str, lab_id: str) -> list[str]:
    """Everything of a lab that is still there."""
    paths = [path for path in (xenlab.state / "labs").iterdir() if path.name.startswith(name)]
    runs = list(Path("/tmp").glob(f"xenlab-*/{xenlab.digest()}/{lab_id[:8]}"))
    return [*map(str, paths), *map(str, runs), *xenlab.find_processes(lab_id)]


def test_lab_that_is_up_is_shown_and_not_brought_up_again(xenlab: Xenlab, lab: str) -> None:
    before = record(xenlab, lab)["lab_id"]
    shown = xenlab.succeed("up")

    assert "lab pair is up already" in shown
    for word in ("accelerator", "dom0", "alice", "bob", "10.77.1.10/24", "xenlab test smoke"):
        assert word in shown
    assert record(xenlab, lab)["lab_id"] == before
    assert json.loads(xenlab.succeed("up", "--json", "-"))["lab"] == lab


def test_other_topology_under_the_same_name_is_refused_with_what_to_do(
    xenlab: Xenlab, lab: str
) -> None:
    refused = xenlab.run("up", "quad", "--lab", lab)

    assert refused.returncode == 2
    assert b"try: xenlab down pair" in refused.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--xen", "trixie"), b"with Xen of bookworm"),
        (("--dom0-kernel", "sid"), b"with its kernels"),
        (("--domu-kernel", "bob=sid"), b"with its kernels"),
    ],
)
def test_words_for_another_lab_are_refused_where_one_is_up(
    xenlab: Xenlab, lab: str, words: tuple[str, ...], why: bytes
) -> None:
    refused = xenlab.run("test", "--lab", lab, *words)

    assert refused.returncode == 2
    assert b"is up already, " + why in refused.stderr


def test_status_shows_the_lab_its_nodes_and_the_machines_state(xenlab: Xenlab, lab: str) -> None:
    (row,) = [line for line in xenlab.succeed("status").splitlines() if line.startswith(lab)]
    assert row.split()[:4] == ["pair", "pair", "up", "connected"]
    assert row.endswith("dom0, alice, bob")

    document = json.loads(xenlab.succeed("status", "--json", "--full"))
    (entry,) = [entry for entry in document["labs"] if entry["lab"] == lab]
    assert entry["state"] == "up (running)"
    assert {node["name"]: node["domid"] for node in entry["nodes"]}.keys() == {
        "dom0", "alice", "bob"
    }  # fmt: skip


def test_second_lab_comes_and_goes_without_a_trace_and_without_harm_to_the_first(
    xenlab: Xenlab, lab: str, tmp_path: Path
) -> None:
    xenlab.succeed("up", "pair", "--lab", "second", "--json", str(tmp_path / "up.json"))
    document = json.loads((tmp_path / "up.json").read_text())
    lab_id = str(record(xenlab, "second")["lab_id"])

    assert document["origin"] == "connected checkpoint"
    assert Path(document["checkpoint"]).is_dir()
    assert document["phases"]
    assert [node["state"] for node in document["nodes"]] == ["running"] * 3
    several = xenlab.run("exec", "alice", "--", "true")
    assert several.returncode == 2
    assert b"several labs (`pair`, `second`): say which with --lab" in several.stderr
    assert xenlab.succeed("exec", "second/alice", "--", "hostname") == "alice\n"

    xenlab.succeed("down", "second")

    assert leftovers(xenlab, "second", lab_id) == []
    assert xenlab.succeed("exec", "alice", "--", "hostname") == "alice\n"


def test_lab_that_is_coming_up_belongs_to_its_owner_until_that_one_is_interrupted(
    xenlab: Xenlab, lab: str
) -> None:
    with xenlab.start("up", "pair", "--lab", "third", "--cold") as coming_up:
        wait_until(
            lambda: "third" in xenlab.succeed("status") or None,
            "the third lab to begin",
            Deadline.after(60),
        )
        lab_id = str(record(xenlab, "third")["lab_id"])
        wait_until(
            lambda: xenlab.find_processes(lab_id) or None, "its processes", Deadline.after(60)
        )
        for words in (("down", "third"), ("up", "pair", "--lab", "third")):
            refused = xenlab.run(*words)
            assert refused.returncode == 4
            assert f"pid {coming_up.pid}, xenlab up".encode() in refused.stderr

        coming_up.send_signal(signal.SIGINT)
        _out, said = coming_up.communicate(timeout=30)

    assert coming_up.returncode == 130
    assert b"xenlab: interrupted" in said
    assert b"Traceback" not in said
    assert leftovers(xenlab, "third", lab_id) == []


def test_owner_that_is_killed_leaves_a_lab_that_the_next_command_sweeps(
    xenlab: Xenlab, lab: str
) -> None:
    with xenlab.start("up", "pair", "--lab", "fourth", "--cold") as coming_up:
        wait_until(
            lambda: xenlab.find_processes() != xenlab.find_processes(_id(xenlab, lab)) or None,
            "the fourth lab's processes",
            Deadline.after(60),
        )
        lab_id = _id(xenlab, "fourth")
        coming_up.kill()
        coming_up.communicate(timeout=30)

    assert "died" in xenlab.succeed("status")
    assert "fourth" in xenlab.succeed("gc", "--limit", "1TiB")
    assert leftovers(xenlab, "fourth", lab_id) == []
    assert "up" in xenlab.succeed("status")


def _id(xenlab: Xenlab, name: str) -> str:
    return str(record(xenlab, name)["lab_id"])


def test_boot_that_fails_says_why_and_leaves_its_logs_and_nothing_else(
    xenlab: Xenlab, lab: str, tmp_path: Path
) -> None:
    (tmp_path / "hopeless.yaml").write_text(HOPELESS)
    failed = xenlab.run("up", str(tmp_path / "hopeless.yaml"), "--cold")
    said = failed.stderr.decode()

    assert failed.returncode == 1, said
    assert "xen crashed: Xen panic: Panic on CPU 0: " in said
    assert "phase: boot Xen and dom0" in said
    assert "its console says:" in said
    (log,) = [line.split()[-1] for line in said.splitlines() if line.startswith("  log: ")]
    assert b"(XEN)" in Path(log).read_bytes()
    folder = xenlab.state / "failures" / "hopeless"
    assert {path.name for path in folder.iterdir()} == {
        "failure.txt", "logs", "plan.json", "record.json"
    }  # fmt: skip
    assert xenlab.succeed("logs", "--lab", "hopeless", "dom0").startswith("(XEN)")
    assert not (xenlab.state / "labs" / "hopeless").exists()


def test_machine_that_dies_is_told_as_what_it_is(xenlab: Xenlab) -> None:
    xenlab.succeed("up", "pair", "--lab", "doomed", "--no-proof")
    lab_id = _id(xenlab, "doomed")
    for pid in xenlab.find_processes(lab_id):
        if b"qemu-system" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(int(pid), signal.SIGKILL)

    refused = xenlab.run("exec", "doomed/alice", "--", "true")

    assert refused.returncode == 6
    assert b"shut off (crashed)" in refused.stderr
    xenlab.succeed("down", "doomed")
