"""What is shown of a lab that is up: every kernel by release and build id, within a terminal."""

from __future__ import annotations

from dataclasses import replace

from xenlab.plan.codec import encode
from xenlab.report.summary import LabSummary, NodeSummary

BASE = "6a2b4ac77585b8cf102cba771300e573c8489b69"
PATCHED = "403f0938d712184d6c665a13cc4f2e2b9b2c6212"
RELEASE = "6.1.192-xenlab"
WIDTH = 100


def node(name: str, build_id: str) -> NodeSummary:
    return NodeSummary(
        name=name, kind="pv", kernel=RELEASE, build_id=build_id, vcpus=1, memory_mib=192,
        devices=(), state="running",
    )  # fmt: skip


def summary(*build_ids: str) -> LabSummary:
    names = ("dom0", "alice", "bob")
    return LabSummary(
        lab="pair", topology="pair", accelerator="tcg", accelerator_reason="asked for",
        xen="4.17.7", origin="cold boot", level="connected", elapsed_s=54.6,
        nodes=tuple(map(node, names, build_ids)),
    )  # fmt: skip


def kernels(shown: LabSummary) -> list[str]:
    """The header's lines from `kernels` on to the next word."""
    lines = list(shown.render())
    start = next(number for number, line in enumerate(lines) if line.startswith("kernels"))
    end = next(number for number, line in enumerate(lines) if line.startswith("origin"))
    return [line.removeprefix("kernels").strip() for line in lines[start:end]]


def test_one_kernel_of_all_nodes_is_one_line() -> None:
    assert kernels(summary(BASE, BASE, BASE)) == [f"{RELEASE} 6a2b4ac77585"]


def test_two_builds_of_one_release_are_told_apart_and_whose_they_are() -> None:
    shown = summary(BASE, PATCHED, BASE)

    assert kernels(shown) == [
        f"{RELEASE} 6a2b4ac77585: dom0, bob",
        f"{RELEASE} 403f0938d712: alice",
    ]
    assert max(map(len, shown.render())) <= WIDTH


def test_node_that_does_not_tell_its_build_id_is_shown_so() -> None:
    assert kernels(summary("", "", "")) == [f"{RELEASE} (build id not told)"]


def test_document_has_the_whole_id() -> None:
    shown = replace(summary(BASE), nodes=(node("dom0", PATCHED),))
    assert encode(shown)["nodes"][0]["build_id"] == PATCHED
