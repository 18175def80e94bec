"""How far a node has come with a driver's module: absent, on its way, or loaded; or refused."""

from __future__ import annotations

from enum import StrEnum

from xenlab.errors import LabError
from xenlab.guest.driver import driver_path
from xenlab.kernel.driver import Driver, DriverKind
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

# $1: a module's folder. One that is built in has parameters there, and no state of its own.
LOOK = """\
[ ! -e "$1" ] || { [ -e "$1/initstate" ] && cat "$1/initstate"; } || echo live
"""
# What kmod says when the kernel did not take a module, and the one reason that is not the module's.
REFUSED = b"could not insert module"
NO_MEMORY = b"Cannot allocate memory"


class Loading(StrEnum):
    """The state of a module as the kernel words it; the first is our word for none."""

    ABSENT = ""
    COMING = "coming"
    LIVE = "live"
    GOING = "going"


def read_loading(shell: Shell, kind: DriverKind, deadline: Deadline) -> Loading:
    """How far a node is with a driver, whichever file it is of. Raises LabError."""
    told = shell.run_script(LOOK, f"/sys/module/{kind.module}", deadline=deadline)
    word = told.require_success().text.strip()
    try:
        return Loading(word)
    except ValueError as error:
        raise LabError(f"{shell.where}: {kind.module} is {word[:80]!r}") from error


def is_refused(shell: Shell, driver: Driver, deadline: Deadline) -> bool:
    """Whether a node that has a driver's file and has not loaded it refuses it once more.

    It is loaded where it is taken. That there is no memory for it is no refusal.
    """
    path = driver_path(driver.kind, driver.build_id)
    told = shell.run(["insmod", path], deadline=deadline)
    return told.status != 0 and REFUSED in told.stderr and NO_MEMORY not in told.stderr
