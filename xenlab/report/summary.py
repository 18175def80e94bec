"""LabSummary: a lab that is up, as it is shown: how it came up, what runs, each of its nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat

from xenlab.report.columns import render_columns

HEAD = ("NODE", "KIND", "KERNEL", "DRIVER", "VCPUS", "MEMORY", "STATE", "DEVICES")
STOCK = "stock"
LABEL_DIGITS = 12
UNTOLD = "(build id not told)"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSummary:
    """One node; `kernel` is the release that the node itself told, `build_id` the kernel's own.

    That one is empty where the node did not tell it, and was proved where it did.
    """

    name: str
    kind: str
    kernel: str
    build_id: str
    vcpus: int
    memory_mib: int
    devices: tuple[str, ...]
    state: str

    @property
    def kernel_label(self) -> str:
        """Release and build id, since two builds may have one release."""
        return f"{self.kernel} {self.build_id[:LABEL_DIGITS] or UNTOLD}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabSummary:
    """`origin` is a cold boot or the checkpoint it came from; `xen` the version that dom0 told.

    Or `none`, where there is none.
    `drivers` has each node's driver where any is not the stock one; all of them were proved.
    """

    lab: str
    topology: str
    accelerator: str
    accelerator_reason: str
    xen: str
    origin: str
    level: str
    elapsed_s: float
    nodes: tuple[NodeSummary, ...]
    drivers: tuple[tuple[str, str], ...] = ()

    def render(self) -> Iterator[str]:
        """The header and the table of nodes."""
        yield from render_columns(
            ("lab", f"{self.lab} (topology {self.topology})"),
            (
                ("accelerator", f"{self.accelerator}: {self.accelerator_reason}"),
                ("Xen", self.xen),
                *zip(chain(["kernels"], repeat("")), self._kernels(), strict=False),
                ("origin", f"{self.origin}, {self.elapsed_s:.1f} s"),
            ),
        )
        yield ""
        drivers = dict(self.drivers)
        rows = (_rows(node, drivers.get(node.name, STOCK)) for node in self.nodes)
        yield from render_columns(HEAD, (row for of_node in rows for row in of_node))

    def _kernels(self) -> Iterator[str]:
        """Each kernel, and where there are several whose it is."""
        owners: dict[str, list[str]] = {}
        for node in self.nodes:
            owners.setdefault(node.kernel_label, []).append(node.name)
        for label, names in owners.items():
            yield f"{label}: {', '.join(names)}" if len(owners) > 1 else label


def _rows(node: NodeSummary, driver: str) -> Iterator[tuple[str, ...]]:
    """One line for each device of the node, the node itself on the first."""
    first, *others = node.devices or ("",)
    memory = f"{node.memory_mib} MiB"
    yield node.name, node.kind, node.kernel, driver, str(node.vcpus), memory, node.state, first
    yield from (("", "", "", "", "", "", "", device) for device in others)
