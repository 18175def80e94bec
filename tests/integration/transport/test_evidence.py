"""What nodes say that they run, on both ways to them, and that none of it is taken unproved."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.unit.kernel.elf import pack_note
from tests.unit.life.test_kernel_proof import BASE, PATCHED, TREE, make_plan, make_record
from xenlab.errors import LabError
from xenlab.images.tools import tool_files
from xenlab.lab import Lab
from xenlab.life import standby
from xenlab.life.evidence import NOTES_FILE, XEN_FILES, NodeEvidence, read_evidence
from xenlab.plan.model import LabPlan
from xenlab.registry.places import LabPlaces
from xenlab.registry.record import LabRecord
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline

RELEASE = "6.1.192-xenlab"
NODES = ("dom0", "alice", "bob")
XEN = dict(zip(XEN_FILES, ("4", "17", ".7"), strict=True))
STUBS = """
#include <stdio.h>
#include "domains.h"
#include "duties.h"
int awaken(char **words, char *text, size_t size) { return !words || !text || !size; }
int ping(char **words, char *text, size_t size) { return !words || !text || !size; }
int domids(char **words, char *text, size_t size) { return !words || !text || !size; }
int main(int argc, char **argv)
{
	char line[LINE_BYTES], answer[LINE_BYTES];

	snprintf(line, sizeof(line), "%s", argv[argc - 1]);
	do_duty(line, answer, sizeof(answer));
	puts(answer);
}
"""


@dataclass(frozen=True)
class Node:
    """A node whose files lie in a folder of this host."""

    root: Path
    duties: Path

    def localize(self, word: str) -> str:
        """The same word to a node's shell or standby, of a file below the folder."""
        dash = "-" if word.startswith("-") else ""
        return f"{dash}{self.root}{word.removeprefix('-')}"

    def run_script(self, script: str, *words: str, deadline: Deadline) -> CommandResult:
        script = script.replace(NOTES_FILE, self.localize(NOTES_FILE))
        argv = ["sh", "-c", script, "sh", *map(self.localize, words)]
        done = subprocess.run(argv, capture_output=True, timeout=deadline.remaining_s, check=False)
        return CommandResult(
            where="node", argv=("sh",), status=done.returncode, stdout=done.stdout,
            stderr=done.stderr, elapsed_s=0.0,
        )  # fmt: skip

    def attend(self, listener: socket.socket) -> None:
        """Answer one request, as `standby` does."""
        host, _ = listener.accept()
        with host:
            duty, *words = host.recv(4096).decode().split()
            line = " ".join((duty, *map(self.localize, words)))
            done = subprocess.run([self.duties, line], capture_output=True, check=True)
            host.sendall(done.stdout)


@dataclass(frozen=True)
class Nodes:
    """A lab of `pair` whose nodes are folders."""

    plan: LabPlan
    record: LabRecord
    places: LabPlaces
    duties: Path

    def node(self, name: str) -> Node:
        return Node(self.places.state / name, self.duties)

    def shell(self, name: str, _deadline: Deadline) -> Node:
        return self.node(name)

    @contextmanager
    def standing_by(self) -> Iterator[None]:
        """Each node answers one request at its socket."""
        listeners, threads = [], []
        for index, name in enumerate(NODES):
            path = self.places.standby_socket(index)
            path.parent.mkdir(parents=True, exist_ok=True)
            listeners.append(socket.socket(socket.AF_UNIX))
            listeners[-1].bind(str(path))
            listeners[-1].listen()
            words = (listeners[-1],)
            threads.append(threading.Thread(target=self.node(name).attend, args=words, daemon=True))
            threads[-1].start()
        try:
            yield
            for thread in threads:
                thread.join(10)
        finally:
            for listener in listeners:
                listener.close()

    def read(self, way: str) -> dict[str, NodeEvidence]:
        lab, deadline = cast(Lab, self), Deadline.after(10)
        if way == "shell":
            return read_evidence(lab, deadline)
        with self.standing_by():
            return standby.read_evidence(lab, deadline)


@pytest.fixture(scope="module")
def duties(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The part of `standby` that does what is asked, as a program that takes one request."""
    folder = tmp_path_factory.mktemp("duties")
    (folder / "main.c").write_text(STUBS)
    (source,) = (path for path in tool_files("standby") if path.name == "duties.c")
    argv = ["gcc", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-I"]
    argv += [str(source.parent), "-o", str(folder / "duties"), str(folder / "main.c"), str(source)]
    subprocess.run(argv, check=True)
    return folder / "duties"


@pytest.fixture
def nodes(tmp_path: Path, duties: Path) -> Nodes:
    """All of them run the kernel under test that they were told to."""
    plan = make_plan(TREE, "pair")
    places = LabPlaces(
        name="lab", state=tmp_path / "n", run=tmp_path / "r", cache=tmp_path / "cache"
    )
    for name in NODES:
        files = XEN if name == "dom0" else {}
        for path, text in {"/proc/sys/kernel/osrelease": RELEASE, **files}.items():
            write(places, name, path, f"{text}\n".encode())
        write(places, name, NOTES_FILE, make_notes(BASE))
    record = make_record(plan, *((name, BASE) for name in NODES))
    return Nodes(plan, record, places, duties)


def write(places: LabPlaces, name: str, path: str, content: bytes) -> None:
    file = Path(f"{places.state / name}{path}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def make_notes(build_id: str) -> bytes:
    """Notes with a line feed among their bytes, as any may have."""
    return pack_note("Xen", 6, b"li\nux\n") + pack_note("GNU", 3, bytes.fromhex(build_id))


WAYS = pytest.mark.parametrize("way", ["shell", "standby"])


@WAYS
def test_nodes_with_the_kernels_that_were_meant_are_believed(nodes: Nodes, way: str) -> None:
    assert nodes.read(way) == {
        "dom0": NodeEvidence(kernel=RELEASE, xen="4.17.7", build_id=BASE),
        "alice": NodeEvidence(kernel=RELEASE, build_id=BASE),
        "bob": NodeEvidence(kernel=RELEASE, build_id=BASE),
    }


@WAYS
@pytest.mark.parametrize("name", NODES)
def test_node_that_runs_another_build_of_the_same_release_is_found_out(
    nodes: Nodes, way: str, name: str
) -> None:
    write(nodes.places, name, NOTES_FILE, make_notes(PATCHED))
    with pytest.raises(LabError, match=f"{name} runs another kernel .*{PATCHED}.*{BASE}"):
        nodes.read(way)


@WAYS
def test_node_without_notes_cannot_prove_a_kernel_under_test(nodes: Nodes, way: str) -> None:
    nodes.node("bob").root.joinpath(NOTES_FILE[1:]).unlink()
    with pytest.raises(LabError, match="bob cannot prove that it runs debian"):
        nodes.read(way)


@WAYS
def test_notes_that_are_no_notes_are_an_error_of_the_lab(nodes: Nodes, way: str) -> None:
    write(nodes.places, "alice", NOTES_FILE, make_notes(BASE)[:-1])
    with pytest.raises(LabError, match="alice: /sys/kernel/notes: cut short"):
        nodes.read(way)


@WAYS
def test_node_that_does_not_tell_its_release_is_not_believed(nodes: Nodes, way: str) -> None:
    nodes.node("alice").root.joinpath("proc/sys/kernel/osrelease").unlink()
    with pytest.raises(LabError, match="No such file"):
        nodes.read(way)


@pytest.mark.parametrize(
    ("request_line", "answer"),
    [
        ("read {0}/text {0}/notes", "ok first 0a00ff "),
        ("read {0}/notes -{0}/missing {0}/text", "ok 0a00ff - first "),
        ("read -{0}", "failed -{0}: Is a directory"),
        ("read {0}/missing", "failed {0}/missing: No such file or directory"),
        ("read {0}/empty", "failed {0}/empty: No data available"),
        ("read {0}/large", "failed {0}/large: File too large"),
        ("read {0}/text {0}/half {0}/half", "failed {0}/half: File too large"),
    ],
)
def test_standby_reads_lines_as_text_and_the_rest_in_hexadecimal(
    duties: Path, tmp_path: Path, request_line: str, answer: str
) -> None:
    files = {"text": b"first\nsecond\n", "notes": b"\n\0\xff", "empty": b"", "large": bytes(4096)}
    for name, content in {**files, "half": bytes(1100)}.items():
        (tmp_path / name).write_bytes(content)
    argv = [str(duties), request_line.format(tmp_path)]
    told = subprocess.run(argv, capture_output=True, check=True).stdout.decode()

    assert told == answer.format(tmp_path) + "\n"
