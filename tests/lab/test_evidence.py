"""The kernel that a node runs is proved by its build id; one that shows another is found out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.lab.conftest import Xenlab
from tests.unit.kernel.elf import pack_note
from xenlab.errors import LabError
from xenlab.lab import Lab
from xenlab.life import standby
from xenlab.life.evidence import NOTES_FILE, NodeEvidence, read_evidence
from xenlab.topology.kernel_origin import KernelOrigin
from xenlab.waiting import Deadline

SOON_S = 30.0
OTHER = "5a" * 20
PLACE = "/run/xenlab/other.notes"

Reader = Callable[[Lab, Deadline], Mapping[str, NodeEvidence]]
# Over SSH and vchans, and by what waits in the nodes' memory.
WAYS = pytest.mark.parametrize("read", [read_evidence, standby.read_evidence])


@contextmanager
def mounted(lab: Lab, node: str, *words: str, over: str) -> Iterator[None]:
    """Something lies over a path of a node."""
    shell = lab.shell(node)
    shell.run(["mount", *words, over], deadline=lab.budget(SOON_S)).require_success()
    try:
        yield
    finally:
        shell.run(["umount", over], deadline=lab.budget(SOON_S)).require_success()


@pytest.fixture
def build_id(xenlab: Xenlab) -> str:
    """That of the kernel that all nodes boot, as the cache has it."""
    shown = json.loads(xenlab.succeed("kernel", "show", "debian", "--json"))
    return str(shown["kernel"]["build_id"])


@WAYS
def test_every_node_shows_the_build_id_of_its_kernel(
    opened: Lab, build_id: str, read: Reader
) -> None:
    told = read(opened, Deadline.after(SOON_S))

    assert {node: each.build_id for node, each in told.items()} == dict.fromkeys(
        opened.plan.node_names, build_id
    )


@WAYS
def test_node_that_shows_another_build_of_the_same_release_is_an_error_of_the_lab(
    opened: Lab, build_id: str, read: Reader
) -> None:
    notes = pack_note("Xen", 6, b"linux\0") + pack_note("GNU", 3, bytes.fromhex(OTHER))
    opened.shell("bob").write_file(PLACE, notes, deadline=opened.budget(SOON_S))
    with (
        mounted(opened, "bob", "-o", "bind", PLACE, over=NOTES_FILE),
        pytest.raises(LabError, match="bob runs another kernel than it was told to") as raised,
    ):
        read(opened, Deadline.after(SOON_S))

    assert f"build id {OTHER}, and that of debian is {build_id}" in raised.value.what
    assert read(opened, Deadline.after(SOON_S))["bob"].build_id == build_id


@WAYS
def test_node_that_cannot_tell_is_believed_but_for_a_kernel_under_test(
    opened: Lab, monkeypatch: pytest.MonkeyPatch, read: Reader
) -> None:
    with mounted(opened, "bob", "-t", "tmpfs", "none", over="/sys/kernel"):
        assert read(opened, Deadline.after(SOON_S))["bob"].build_id == ""

        origin = KernelOrigin(tree="/linux")
        kernels = tuple(replace(each, origin=origin) for each in opened.plan.kernels)
        monkeypatch.setattr(opened, "plan", replace(opened.plan, kernels=kernels))
        with pytest.raises(LabError, match="bob cannot prove that it runs debian"):
            read(opened, Deadline.after(SOON_S))


def test_lab_from_a_checkpoint_shows_the_build_id_too(
    xenlab: Xenlab, lab: str, build_id: str
) -> None:
    assert lab == "pair"  # whose checkpoint it left
    said = xenlab.succeed("up", "pair", "--lab", "proved", "--no-proof", "--json", "-")
    xenlab.succeed("down", "proved")
    came_up = json.loads(said)

    assert came_up["origin"] == "connected checkpoint"
    assert {node["build_id"] for node in came_up["nodes"]} == {build_id}
