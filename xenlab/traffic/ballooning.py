"""Ballooning: dom0's memory given back to Xen and taken anew, which scatters it for devices."""

from __future__ import annotations

from xenlab.errors import LabError, WaitTimedOut
from xenlab.guest.reading import NodeFiles, read_node_files
from xenlab.plan.model import DOM0
from xenlab.traffic.handle import LabHandle
from xenlab.waiting import wait_until

BALLOON_S = 60.0
# drivers/xen/xen-balloon.c
BALLOON = "/sys/devices/system/xen_memory/xen_memory0"
TARGET, CURRENT = f"{BALLOON}/target_kb", f"{BALLOON}/info/current_kb"
MEMINFO = "/proc/meminfo"
# Of what is free, so that dom0 never has to search for memory.
GIVEN_SHARE = 0.75
PAGE_KIB = 4


def scatter_dom0(lab: LabHandle) -> int:
    """Have most of dom0's free memory consist of other pages than those that Xen built it of.

    Returns how much that is, in KiB. It cannot be undone: a test that does so spoils its lab. Xen
    hands out single pages (linux/drivers/xen/balloon.c, increase_reservation). Raises LabError
    where dom0 does not come back to its size.
    """
    files = _read(lab)
    before_kib = files.number(CURRENT)
    free_kib = _parse_free_kib(files)
    if before_kib is None:
        raise LabError(f"dom0 does not tell its size: no number in {CURRENT}")
    given_kib = int(free_kib * GIVEN_SHARE) // PAGE_KIB * PAGE_KIB
    _resize(lab, before_kib - given_kib)
    _resize(lab, before_kib)
    return given_kib


def _resize(lab: LabHandle, target_kib: int) -> None:
    deadline = lab.budget(BALLOON_S)
    argv = ["tee", TARGET]
    lab.shell(DOM0).run(argv, deadline=deadline, stdin=b"%d\n" % target_kib).require_success()
    seen: list[int | None] = []

    def reached() -> bool:
        seen.append(_read(lab).number(CURRENT))
        return seen[-1] == target_kib

    try:
        wait_until(reached, f"dom0 to have {target_kib} KiB", deadline)
    except WaitTimedOut as error:
        raise LabError(f"dom0 was to have {target_kib} KiB, and has {seen[-1]} KiB") from error


def _read(lab: LabHandle) -> NodeFiles:
    return read_node_files(lab.shell(DOM0), [CURRENT, MEMINFO], [], lab.budget(BALLOON_S))


def _parse_free_kib(files: NodeFiles) -> int:
    for line in files.files.get(MEMINFO, ()):
        name, _colon, value = line.partition(":")
        if name == "MemFree":
            return int(value.split()[0])
    raise LabError(f"dom0 does not tell how much memory is free: no MemFree in {MEMINFO}")
