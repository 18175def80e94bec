"""Programs of this machine: one `run`, argv lists only, each in a process group of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from xenlab.errors import Unavailable, WaitTimedOut
from xenlab.transport.shell import TAIL_LINES, CommandResult
from xenlab.waiting import Deadline

WHERE = "local"

# For the lines that were written and not yet told when the program ended.
READER_GRACE_S = 5.0

# An ordinary user's PATH lacks them, but depmod and its like are of use without root too.
ADMIN_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")

# Program -> Debian package, where the two names differ.
PACKAGE_OF = {
    "addr2line": "binutils",
    "apt-cache": "apt",
    "apt-config": "apt",
    "apt-get": "apt",
    "bwrap": "bubblewrap",
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "ld": "binutils",
    "libvirtd": "libvirt-daemon",
    "qemu-system-x86_64": "qemu-system-x86",
    "setpriv": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "strip": "binutils",
    "xz": "xz-utils",
}

# `make lab ARGS="..."` hands its ARGS, and more, to each make below it (GNU make manual, 5.7.2).
OF_MAKE = frozenset({"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES"})


def which(program: str) -> str:
    """The full path of a program; Unavailable with the package that has it, if it is not here."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *ADMIN_FOLDERS))
    found = shutil.which(program, path=path)
    if found is None:
        package = PACKAGE_OF.get(program, program)
        raise Unavailable(
            f"the program `{program}` is not installed", try_next=f"apt-get install {package}"
        )
    return found


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OF_MAKE}


def run(
    argv: Sequence[str],
    *,
    deadline: Deadline,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], None] | None = None,
) -> CommandResult:
    """Run a program to its end and return what came back, whatever its exit status.

    `env` adds to this process' environment; messages are always in English, and of a make that ran
    us nothing is handed on: its variables are not those of a make that we run. `on_line` is given
    each line of standard output as it comes, by another thread; none is kept then. Raises
    Unavailable if the program does not exist, WaitTimedOut at the deadline; then, and on any
    exception here, the program's whole process group is killed.
    """
    started_s = time.monotonic()
    command = [which(argv[0]), *argv[1:]]
    with ExitStack() as stack:
        output = stack.enter_context(_listening(on_line)) if on_line else subprocess.PIPE
        program = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.PIPE,
            env={**_inherited(), "LC_ALL": "C.UTF-8", **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
        with program:
            stdout, stderr = _communicate(program, argv, stdin, deadline)
    return CommandResult(
        where=WHERE,
        argv=tuple(argv),
        status=program.returncode,
        stdout=stdout or b"",
        stderr=stderr,
        elapsed_s=time.monotonic() - started_s,
    )


@contextmanager
def _listening(on_line: Callable[[str], None]) -> Iterator[int]:
    """A descriptor for a program to write to; each line of it is told, the last one before we go.

    Whoever outlives the program with the descriptor open must not hold us: the reader is a daemon
    and is waited for only while it has something to read.
    """
    reading, writing = os.pipe()

    def listen() -> None:
        with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                on_line(line.rstrip("\n"))

    reader = threading.Thread(target=listen, name="lines", daemon=True)
    reader.start()
    try:
        yield writing
    finally:
        os.close(writing)
        reader.join(READER_GRACE_S)


def _communicate(
    program: subprocess.Popen[bytes], argv: Sequence[str], stdin: bytes, deadline: Deadline
) -> tuple[bytes, bytes]:
    budget_s = deadline.remaining_s
    try:
        return program.communicate(stdin, timeout=budget_s)
    except subprocess.TimeoutExpired as error:
        _kill_group(program)
        seen = _last_seen(error.stderr or error.stdout)
        raise WaitTimedOut(
            f"waited {budget_s:.1f} s for `{shlex.join(argv)}` to end{seen}"
        ) from error
    except BaseException:
        _kill_group(program)
        raise


def _kill_group(program: subprocess.Popen[bytes]) -> None:
    """Kill the program and what it started; its pid is its group's, for it leads a session."""
    with suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)


def _last_seen(output: bytes | None) -> str:
    """The end of what a program had said when it was killed, for the error's text."""
    lines = (output or b"").decode(errors="replace").splitlines()[-TAIL_LINES:]
    return "; last seen: " + "\n".join(lines) if lines else ""
