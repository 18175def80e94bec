"""Patches: how long it takes from a patch by hand to a verdict, and what is built for it."""

from __future__ import annotations

import secrets
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from bench.documents import MutantsDocument
from bench.figures import Phase
from bench.peers import build_by_virtme_ng, time_virtme_ng
from bench.programs import Ended, ProgramFailed
from bench.workspace import Workspace
from xenlab.kernel.driver import DriverChoice, DriverKind
from xenlab.kernel.workshop import open_workshop
from xenlab.plan.planner import plan_lab
from xenlab.registry.places import cache_dir
from xenlab.topology.loading import load_topology
from xenlab.waiting import Deadline

NETFRONT = "drivers/net/xen-netfront.c"
# How xennet_start_xmit() begins in Linux 6.1. No packet is as long, and none is dropped.
PATCH = f"""\
From: Somebody <somebody@host.invalid>
Subject: [PATCH] xen-netfront: drop packets of {{length}} bytes

---
--- a/{NETFRONT}
+++ b/{NETFRONT}
@@ -723,6 +723,8 @@ static netdev_tx_t xennet_start_xmit(
 \t/* Drop the packet if no queues are set up */
 \tif (num_queues < 1)
 \t\tgoto drop;
+\tif (unlikely(skb->len == {{length}}))
+\t\tgoto drop;
 \tif (unlikely(np->broken))
 \t\tgoto drop;
 \t/* Determine which queue to transmit this SKB on */
"""
BZIMAGE = "arch/x86/boot/bzImage"
LENGTH_LEAST = 1 << 30
SMALL_KERNEL = "bookworm+base"
TRY_LIMIT_S = 3600.0
BUILD_LIMIT_S = 3600.0
MUTANTS_LIMIT_S = 6 * 3600.0


def write_patch(folder: Path) -> Path:
    """A harmless patch on netfront that nobody has built before."""
    length = LENGTH_LEAST + secrets.randbelow(LENGTH_LEAST)
    path = folder / f"{length}.patch"
    path.write_text(PATCH.format(length=length))
    return path


def time_try(workspace: Workspace, *options: str) -> float:
    """Seconds of `xenlab try`, which has to pass."""
    words = ("try", str(write_patch(workspace.root)), *options)
    return workspace.xenlab(*words, limit_s=TRY_LIMIT_S).require_success().elapsed_s


def time_module(folder: Path) -> float:
    """Seconds to build netfront with a patch on it, in this process."""
    choice = DriverChoice.parse(DriverKind.NETFRONT, str(write_patch(folder)))
    plan = plan_lab(load_topology("pair"))
    with open_workshop(
        cache_dir(), report=lambda _line: None, offline=False,
        deadline=Deadline.after(BUILD_LIMIT_S),
    ) as workshop:  # fmt: skip
        started_s = time.monotonic()
        workshop.provide_driver(choice, plan.kernel(plan.dom0.kernel))
        return time.monotonic() - started_s


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelTimes:
    """Seconds to build a kernel, by xenlab and by virtme-ng, one after the other on one tree.

    virtme-ng builds the kernel that it recommends, more than the small one; and boots it.
    """

    cold_s: float
    again_s: float
    virtme_ng_cold: tuple[Phase, ...] = ()
    virtme_ng_again: tuple[Phase, ...] = ()
    virtme_ng_failure: str = ""


def time_kernel(workspace: Workspace) -> KernelTimes:
    """Build the small kernel with nothing there, and again with one file changed; so virtme-ng."""
    with tempfile.TemporaryDirectory(dir=workspace.cache, prefix="xlb-kernel-") as folder:
        alone = workspace.with_cache(Path(folder))
        cold = _build(alone, SMALL_KERNEL)
        patch = write_patch(workspace.root)
        again = _build(alone, f"{SMALL_KERNEL}+{patch}")
        ours = KernelTimes(cold_s=cold.elapsed_s, again_s=again.elapsed_s)
        (tree,) = Path(folder).glob("xenlab/builds/*/source")
        try:
            return _beside_virtme_ng(ours, alone, tree, patch.stem)
        except ProgramFailed as error:
            return replace(ours, virtme_ng_failure=str(error))


def _beside_virtme_ng(
    ours: KernelTimes, workspace: Workspace, tree: Path, length: str
) -> KernelTimes:
    """The same by virtme-ng: a build of the patched tree, one with another length, and a boot."""
    cold = build_by_virtme_ng(workspace, tree)
    source = tree / NETFRONT
    source.write_text(source.read_text(encoding="utf-8").replace(length, "1"), encoding="utf-8")
    again = build_by_virtme_ng(workspace, tree)
    boot_s = time_virtme_ng(workspace, tree / BZIMAGE)
    return replace(
        ours,
        virtme_ng_cold=(Phase(name="build", elapsed_s=cold.elapsed_s),),
        virtme_ng_again=(
            Phase(name="build", elapsed_s=again.elapsed_s),
            Phase(name="boot", elapsed_s=boot_s),
        ),
    )


def _build(workspace: Workspace, kernel: str) -> Ended:
    return workspace.xenlab("kernel", "build", kernel, limit_s=BUILD_LIMIT_S).require_success()


def time_mutants(workspace: Workspace) -> tuple[float, ...]:
    """Seconds for each mutant of the whole set; they and the harmless ones end as they have to."""
    path = workspace.root / "mutants.json"
    words = ("mutants", "--json", str(path))
    workspace.xenlab(*words, limit_s=MUTANTS_LIMIT_S).require_success()
    document = MutantsDocument.model_validate_json(path.read_bytes())
    return tuple(each.elapsed_s for each in document.mutants if not each.harmless)
