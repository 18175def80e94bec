"""Ballooning: a domain's memory given back to Xen and taken anew, which scatters it for devices."""

from __future__ import annotations

from xenlab.errors import LabError, WaitTimedOut
from xenlab.guest.reading import NodeFiles, read_node_files
from xenlab.traffic.handle import LabHandle
from xenlab.waiting import wait_until

BALLOON_S = 60.0
# drivers/xen/xen-balloon.c
BALLOON = "/sys/devices/system/xen_memory/xen_memory0"
TARGET, CURRENT = f"{BALLOON}/target_kb", f"{BALLOON}/info/current_kb"
MEMINFO = "/proc/meminfo"
# Of what is free, so that the domain never has to search for memory.
GIVEN_SHARE = 0.75
PAGE_KIB = 4


def scatter_memory(lab: LabHandle, node: str) -> int:
    """Have most of a PV domain's free memory consist of other pages than those it was built of.

    Returns how much that is, in KiB. It cannot be undone: a test that does so spoils its lab. Xen
    hands out single pages (linux/drivers/xen/balloon.c, increase_reservation). Raises LabError
    where the domain does not come back to its size.
    """
    files = _read(lab, node)
    before_kib = files.number(CURRENT)
    free_kib = _parse_free_kib(files, node)
    if before_kib is None:
        raise LabError(f"{node} does not tell its size: no number in {CURRENT}")
    given_kib = int(free_kib * GIVEN_SHARE) // PAGE_KIB * PAGE_KIB
    _resize(lab, node, before_kib - given_kib)
    _resize(lab, node, before_kib)
    return given_kib


def _resize(lab: LabHandle, node: str, target_kib: int) -> None:
    deadline = lab.budget(BALLOON_S)
    argv = ["tee", TARGET]
    lab.shell(node).run(argv, deadline=deadline, stdin=b"%d\n" % target_kib).require_success()
    seen: list[int | None] = []

    def reached() -> bool:
        seen.append(_read(lab, node).number(CURRENT))
        return seen[-1] == target_kib

    try:
        wait_until(reached, f"{node} to have {target_kib} KiB", deadline)
    except WaitTimedOut as error:
        raise LabError(f"{node} was to have {target_kib} KiB, and has {seen[-1]} KiB") from error


def _read(lab: LabHandle, node: str) -> NodeFiles:
    return read_node_files(lab.shell(node), [CURRENT, MEMINFO], [], lab.budget(BALLOON_S))


def _parse_free_kib(files: NodeFiles, node: str) -> int:
    for line in files.files.get(MEMINFO, ()):
        name, _colon, value = line.partition(":")
        if name == "MemFree":
            return int(value.split()[0])
    raise LabError(f"{node} does not tell how much memory is free: no MemFree in {MEMINFO}")
