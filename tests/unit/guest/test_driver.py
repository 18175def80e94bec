"""A loaded module's build id, and what a frontend that is taken out leaves in xenstore."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.kernel.elf import pack_note
from xenlab.errors import LabError
from xenlab.guest.driver import FORGET_REQUESTS, parse_build_id
from xenlab.transport.process import run
from xenlab.waiting import Deadline

# /sys/module/xen_netfront/notes/.note.gnu.build-id of Linux 6.1.0-56-amd64 (6.1.192-2)
RECORDED = bytes.fromhex("040000001400000003000000474e5500403f0938d712184d6c665a13cc4f2e2b9b2c6212")


def test_build_id_is_what_stands_behind_its_owner() -> None:
    assert parse_build_id("bob", RECORDED) == "403f0938d712184d6c665a13cc4f2e2b9b2c6212"


@pytest.mark.parametrize(
    "note",
    [
        b"",
        RECORDED[:10],
        RECORDED[:-1],
        pack_note("GNU", 3, b""),
        pack_note("Xen", 3, b"\xff" * 20),
        b"\xff" * 36,
    ],
)
def test_what_is_no_build_id_is_an_error_of_the_lab(note: bytes) -> None:
    with pytest.raises(LabError, match="bob: the note of a loaded module is no build id"):
        parse_build_id("bob", note)


# xenstore as a folder.
LIST = '#!/bin/sh\n[ -d "$STORE/$1" ] && ls "$STORE/$1"\n'
REMOVE = '#!/bin/sh\ncd "$STORE" && rm "$@"\n'
TOOLSTACKS = ("backend", "mac", "state", "tx-ring-ref")
FRONTENDS = ("feature-sg", "request-max-tx-slots", "request-rx-copy")


def forget(folder: Path) -> int:
    """What becomes of requests where that folder holds xenstore."""
    for name, text in (("xenstore-list", LIST), ("xenstore-rm", REMOVE)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "STORE": str(folder / "store")}
    return run(("sh", "-c", FORGET_REQUESTS, "sh"), env=env, deadline=Deadline.after(10)).status


def test_what_a_frontend_asked_for_is_gone_and_what_the_toolstack_wrote_is_not(
    tmp_path: Path,
) -> None:
    vifs = [tmp_path / "store/device/vif" / index for index in ("0", "1")]
    for vif in vifs:
        vif.mkdir(parents=True)
        for key in (*TOOLSTACKS, *FRONTENDS):
            (vif / key).write_text("1")

    assert forget(tmp_path) == 0

    assert [sorted(key.name for key in vif.iterdir()) for vif in vifs] == [list(TOOLSTACKS)] * 2
    assert forget(tmp_path) == 0


def test_domu_without_a_vif_has_nothing_to_forget(tmp_path: Path) -> None:
    assert forget(tmp_path) == 0
