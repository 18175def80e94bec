"""Kernels asked for on the command line: each of them known to the topology, and whose it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from xenlab.kernel.choice import read_users_files, say_untested
from xenlab.kernel.fragments import list_fragments
from xenlab.life.words_for_nodes import spread_words
from xenlab.plan.model import KernelPlan, LabPlan
from xenlab.topology.kernel_words import KernelWords
from xenlab.topology.model import KernelSpec, Topology
from xenlab.waiting import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelsOfNodes:
    """A topology that knows every kernel, and the names of those that stand over its own."""

    topology: Topology
    dom0: str | None
    domus: Mapping[str, str]


def choose_kernels(
    topology: Topology, dom0_word: str | None, domu_words: Sequence[str]
) -> KernelsOfNodes:
    """What --dom0-kernel and --domu-kernel mean; InputError for what cannot be understood."""
    known = {kernel.name: kernel for kernel in topology.kernels}
    words = KernelWords(known=known, configs=list_fragments())
    domus = spread_words("--domu-kernel", domu_words, [domu.name for domu in topology.domus])
    dom0 = words.read(dom0_word) if dom0_word else None
    chosen: dict[str, KernelSpec] = {name: words.read(word) for name, word in domus.items()}
    added = {kernel.name: kernel for kernel in (dom0, *chosen.values()) if kernel}
    return KernelsOfNodes(
        topology=replace(topology, kernels=tuple({**known, **added}.values())),
        dom0=dom0.name if dom0 else None,
        domus={name: kernel.name for name, kernel in chosen.items()},
    )


def digest_kernels(plan: LabPlan, deadline: Deadline) -> str:
    """One digest over the user's own files among a plan's kernels, or nothing without any.

    The plan names a tree and a patch; what is in them may be another than it was. Raises
    InputError, before anything is begun, for those that are not there.
    """
    files = {kernel.name: read_users_files(kernel.origin, deadline) for kernel in plan.kernels}
    own = {name: found for name, found in files.items() if found is not None}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest() if own else ""


def find_untested(kernels: Iterable[KernelPlan], deadline: Deadline) -> tuple[str, ...]:
    """A warning for each tree with changes that are in no commit, and so in none of its kernels."""
    told = (say_untested(kernel.origin, deadline) for kernel in kernels)
    return tuple(dict.fromkeys(filter(None, told)))
