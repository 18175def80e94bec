"""A domU ended without a word, and made anew from the configuration that it came from."""

from __future__ import annotations

from xenlab.errors import LabError
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

CONFIGS = "/xenlab/domus"  # boot/overlay.py


def destroy_domain(dom0: Shell, name: str, deadline: Deadline) -> None:
    """End a domU at once; it gets to do nothing any more, and nobody is told but by xenstore."""
    dom0.run(["xl", "destroy", name], deadline=deadline).require_success()


def create_domain(dom0: Shell, name: str, deadline: Deadline) -> int:
    """Have a domU boot again, without vifs; its new number.

    Its kernel and ramdisk must still lie in dom0, as they do in a lab with driver domains.
    """
    argv = ["xl", "create", "-q", "-e", f"{CONFIGS}/{name}.cfg"]
    dom0.run(argv, deadline=deadline).require_success()
    number = dom0.run(["xl", "domid", name], deadline=deadline).require_success().text.strip()
    if not number.isdecimal():
        raise LabError(f"the number of {name} is {number!r}")
    return int(number)
