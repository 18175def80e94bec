"""Allocations of a driver that fail: one function gives it no memory, as often as it is told to.

Lines are of drivers/net/xen-netback/netback.c (NB) and xen-netfront.c (NF) in linux-source-6.1
6.1.192-2.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.kernel.driver import DriverKind
from xenlab.slots.limits import COPY_BYTES, SKB_PAD_BYTES
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.kernel_module import build_modules, module_loaded
from xenlab.undoing import undone

MODULE = "xlnomem"
PARAMETERS = f"/sys/module/{MODULE}/parameters"
SET_S = 30.0
EVERY_TIME = 1_000_000
# $1: the folder of the module's parameters, $2: how many calls are to fail from now on.
SET = 'echo "$2" >"$1/times" && cat "$1/refused"'
# $1: names with `|` between them. The first of them that this kernel has as a function.
FIND = r"""sed -nE "s/^[0-9a-f]+ [TtW] ($1)$/\1/p" /proc/kallsyms | sed -n 1p"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The calls of a function out of one driver, with this as the first argument; 0 is any.

    `functions` are its names in kernels, of which each has one. Of `every` so many calls the last
    is the one that fails.
    """

    what: str
    caller: DriverKind
    functions: tuple[str, ...]
    argument: int = 0
    every: int = 1


@dataclass(slots=True, kw_only=True)
class Failures:
    """How many allocations failed in a context, once it is left."""

    count: int = 0


# The skb of a packet of which 128 bytes are copied (NB:1030, xenvif_alloc_skb).
HEAD = Allocation(
    what="a packet's skb",
    caller=DriverKind.NETBACK,
    functions=("__alloc_skb",),
    argument=COPY_BYTES + SKB_PAD_BYTES,
)
# The second one, of no head, for slots beyond MAX_SKB_FRAGS (NB:1048).
FRAG_LIST = Allocation(
    what="a frag_list's skb",
    caller=DriverKind.NETBACK,
    functions=("__alloc_skb",),
    argument=SKB_PAD_BYTES,
)
# What both are copied to (NB:1142), the second page of each packet; alloc_page() is a macro.
FRAG_LIST_PAGES = Allocation(
    what="a frag_list's pages",
    caller=DriverKind.NETBACK,
    functions=("alloc_pages", "alloc_pages_noprof"),
    every=2,
)
# The skb of each buffer that the frontend puts into its ring (NF:275).
RX_BUFFER = Allocation(
    what="receive buffers", caller=DriverKind.NETFRONT, functions=("__netdev_alloc_skb",)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingAllocation:
    """The module of one kind of allocation in a node; it lets all succeed until told otherwise."""

    lab: LabHandle
    node: str
    allocation: Allocation

    @contextmanager
    def failing(self, times: int = EVERY_TIME) -> Iterator[Failures]:
        """Have so many of them fail while the context lasts; how many did is known at its end.

        A driver may ask for fewer. Raises MeasurementError where not one failed: nothing was shown.
        """
        told: list[int] = [self._tell(times)]
        failures = Failures()
        with undone(lambda: told.append(self._tell(0))):
            yield failures
        failures.count = told[-1] - told[0]
        if not failures.count:
            raise MeasurementError(f"{self.node}: no allocation of {self.allocation.what} failed")

    def _tell(self, times: int) -> int:
        """Have so many of them fail from now on; how many have till then."""
        shell, deadline = self.lab.shell(self.node), self.lab.budget(SET_S)
        told = shell.run_script(SET, PARAMETERS, str(times), deadline=deadline)
        return int(told.require_success().text)


@contextmanager
def allocation_watched(
    lab: LabHandle, node: str, allocation: Allocation
) -> Iterator[FailingAllocation]:
    """The module in a node, built for its kernel, for one kind of allocation; out again afterwards.

    Raises MeasurementError where the kernel has no such function.
    """
    shell = lab.shell(node)
    (module,) = build_modules(lab, MODULE, [node]).values()
    names = "|".join(allocation.functions)
    found = shell.run_script(FIND, names, deadline=lab.budget(SET_S)).require_success()
    if not found.text.strip():
        raise MeasurementError(f"{shell.where}: the kernel has no function {names}")
    parameters = {
        "function": found.text.strip(),
        "caller": allocation.caller.module,
        "argument": str(allocation.argument),
        "every": str(allocation.every),
    }
    with module_loaded(lab, node, MODULE, module, parameters):
        yield FailingAllocation(lab=lab, node=node, allocation=allocation)
