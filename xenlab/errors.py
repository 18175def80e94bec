"""The error tree: every way xenlab can end other than well, each with its exit code."""

from __future__ import annotations

from typing import ClassVar


class XenlabError(Exception):
    """Root of all errors that xenlab raises on purpose; `try_next` is a command that may help."""

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, try_next: str = "") -> None:
        self.what = what
        self.try_next = try_next
        super().__init__(what)


class InputError(XenlabError):
    """The user's file or argument is wrong: exit 2.

    `problems` holds all that is wrong, one `file:line:col: message` each.
    """

    exit_code = 2

    def __init__(self, *problems: str, try_next: str = "") -> None:
        self.problems = problems
        super().__init__("\n".join(problems), try_next=try_next)


class DoesNotCompile(InputError):
    """Sources that somebody wants tested do not compile or link: `problems` are what make says."""


class Unavailable(XenlabError):
    """This host lacks something: exit 4; `try_next` is the command that provides it."""

    exit_code = 4


class VersionUnavailable(Unavailable):
    """What is lacking belongs to one version of Xen or of a kernel: others may be there."""


class LabError(XenlabError):
    """The lab did not do its part: exit 6; carries the phase and the last console lines."""

    exit_code = 6

    def __init__(
        self,
        what: str,
        *,
        phase: str = "",
        console_tail: tuple[str, ...] = (),
        log_path: str = "",
        try_next: str = "",
    ) -> None:
        self.phase = phase
        self.console_tail = console_tail
        self.log_path = log_path
        super().__init__(what, try_next=try_next)


class BootFailed(LabError):
    """Xen, dom0 or a domU did not come up."""


class StaleCode(LabError):
    """The emulator had one of its CPUs run what no memory holds: says nothing about a kernel."""


class GuestLost(LabError):
    """The machine or a domU went away while it was needed."""


class ConnectionLost(LabError):
    """A control channel (SSH, vchan, libvirt) broke; says nothing about the guest behind it."""


class CommandFailed(LabError):
    """A command that had to succeed returned another exit status than 0."""


class WaitTimedOut(LabError):
    """A wait reached its deadline; the text says for what it waited and what was last seen."""


class ChecksumMismatch(LabError):
    """A cached file is not what it was when it was written."""


class KernelFault(XenlabError):
    """A kernel under test (xen, dom0 or a domU) crashed: the verdict is CRASH, exit 1."""

    exit_code = 1

    def __init__(self, node: str, fingerprint: str, excerpt: tuple[str, ...]) -> None:
        self.phase = ""
        self.log_path = ""
        self.node = node
        self.fingerprint = fingerprint
        self.excerpt = excerpt
        super().__init__(f"{node} crashed: {fingerprint}")


class EmulatorFault(KernelFault):
    """A kernel died of what its emulated CPU did: says nothing about the kernel; LAB_ERROR."""

    exit_code = LabError.exit_code


class DriverFailed(XenlabError):
    """A driver under test does not come to carry packets in a lab that is well: a FAIL, exit 1."""

    exit_code = 1

    def __init__(self, what: str, *, phase: str) -> None:
        self.phase = phase
        self.log_path = ""
        super().__init__(what)


class MeasurementError(XenlabError):
    """A counter or field is absent: the verdict is INCONCLUSIVE, never zero; exit 7."""

    exit_code = 7
