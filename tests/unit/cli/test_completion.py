"""Completion in a real bash: commands, options, labs and nodes, read from records alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.house.repository import ROOT
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.record import LabRecord, LabState

# What bash does when somebody types WORDS and the tab key (bash(1), "Programmable Completion").
SCRIPT = """
eval "$(xenlab completion bash)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
complete -p xenlab >/dev/null || exit 9
_xenlab_completion "$1" "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
PROGRAM = """#!{python}
import sys
sys.path.insert(0, {root!r})
sys.argv[0] = "xenlab"
from xenlab.cli.main import main
main()
"""


@pytest.fixture
def shell(home: Path) -> Path:
    """A folder on the path of a shell with `xenlab` in it."""
    folder = home / "bin"
    folder.mkdir()
    (folder / "xenlab").write_text(PROGRAM.format(python=sys.executable, root=str(ROOT)))
    (folder / "xenlab").chmod(0o755)
    return folder


def write_lab(name: str, *domus: str, transient: bool = False) -> None:
    """A lab that this test holds up."""
    own = ProcessIdentity.own()
    record = LabRecord(
        name=name, lab_id=f"{name:x<8}", state=LabState.UP, transient=transient, creator=own,
        created_unix_s=time.time(), topology="pair", accel="tcg", accel_reason="a test",
        plan_json=json.dumps({"plan": {"domus": [{"name": domu} for domu in domus]}}),
        machine_uuid="", sandbox=own,
    )  # fmt: skip
    record.places.state.mkdir(parents=True)
    record.write()


def complete(shell: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words; not a word on stderr."""
    env = {**os.environ, "PATH": f"{shell}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", SCRIPT, "bash", "xenlab", *words],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


def test_commands_and_options_are_completed(shell: Path) -> None:
    assert complete(shell, "st") == ["status"]
    assert complete(shell, "up", "--co") == ["--cold", "--connect"]
    assert complete(shell, "up", "p") == [
        "pair", "pair-dom0-pvh", "pair-hvm", "pair-no-defer", "pair-pvh", "pair-pvshim",
    ]  # fmt: skip
    assert complete(shell, "images", "v") == ["verify"]


def test_wrong_command_completes_to_nothing_without_a_word(shell: Path) -> None:
    assert complete(shell, "stauts", "x") == []


def test_nodes_of_the_only_lab_need_no_lab(shell: Path) -> None:
    write_lab("pair", "alice", "bob")

    assert complete(shell, "exec", "") == ["dom0", "alice", "bob"]
    assert complete(shell, "ssh", "pair/b") == ["pair/bob"]
    assert complete(shell, "logs", "-f", "") == [
        "dom0", "alice", "bob", "libvirtd", "qemu", "sandbox"
    ]  # fmt: skip
    assert complete(shell, "down", "") == ["pair"]


def test_nodes_of_several_labs_come_with_their_lab(shell: Path) -> None:
    write_lab("pair", "alice")
    write_lab("quad", "carol")

    assert complete(shell, "console", "") == ["pair/dom0", "pair/alice", "quad/dom0", "quad/carol"]
    assert complete(shell, "console", "--lab", "quad", "") == ["dom0", "carol"]
    assert complete(shell, "exec", "--lab", "") == ["pair", "quad"]


def test_no_lab_completes_to_nothing(shell: Path) -> None:
    assert complete(shell, "exec", "") == []


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_script_of_every_shell_ends_well(shell: Path, name: str) -> None:
    done = subprocess.run(
        [str(shell / "xenlab"), "completion", name], capture_output=True, text=True, check=True
    )
    assert "_XENLAB_COMPLETE" in done.stdout


def test_completing_ends_with_0(shell: Path) -> None:
    env = {**os.environ, "_XENLAB_COMPLETE": "bash_complete", "COMP_WORDS": "xenlab s",
           "COMP_CWORD": "1"}  # fmt: skip
    done = subprocess.run([str(shell / "xenlab")], env=env, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
