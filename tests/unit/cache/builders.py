"""Builders that run as processes of their own, for the tests of the store."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from multiprocessing.synchronize import Event
from pathlib import Path

from xenlab.cache.entry import Recipe
from xenlab.cache.store import EntryStore
from xenlab.waiting import Deadline

RECIPE = Recipe(kind="root-dom0", inputs={"packages": [["busybox:amd64=1", "00ff"]], "builder": 1})
IMAGE = b"the image's bytes\n" * 1000
FACTS = {"release": "6.1.0-x"}
WAIT_S = 30.0


def make_store(folder: Path, *, offline: bool = False) -> EntryStore:
    """A store that says nothing."""
    return EntryStore(
        folder=folder,
        report=lambda _line: None,
        offline=offline,
        deadline=Deadline.after(WAIT_S),
    )


def build_image(part: Path) -> Mapping[str, str]:
    """Write two files, as a real builder would."""
    (part / "root.cpio").write_bytes(IMAGE)
    (part / "config").write_bytes(b"CONFIG_XEN=y\n")
    return FACTS


def provide_and_count(folder: Path, log: Path, own: Event, other: Event) -> None:
    """Provide an entry; a build writes a line and lasts until the other process provides too."""

    def build(part: Path) -> Mapping[str, str]:
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        if not other.wait(WAIT_S):
            raise AssertionError("the other builder never started")
        return build_image(part)

    own.set()
    make_store(folder).provide(RECIPE, build)


def die_while_building(folder: Path) -> None:
    """Begin a build and be killed in the middle of it."""

    def build(part: Path) -> Mapping[str, str]:
        (part / "root.cpio").write_bytes(IMAGE[:100])
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")

    make_store(folder).provide(RECIPE, build)
