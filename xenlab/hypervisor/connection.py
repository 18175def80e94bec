"""Connection: a line to libvirt that is opened again when the daemon was started anew."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

import libvirt

from xenlab.errors import ConnectionLost, LabError
from xenlab.waiting import Deadline, wait_until

T = TypeVar("T")

KEEPALIVE_INTERVAL_S = 1
KEEPALIVE_COUNT = 3
REOPEN_LIMIT_S = 20.0  # the sandbox starts a daemon that died at once; it then finds its machines


@cache
def start_event_loop() -> None:
    """Run libvirt's event loop in a thread: without it keepalive cannot notice a frozen daemon."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()

    def turn() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=turn, name="libvirt-events", daemon=True).start()


@contextlib.contextmanager
def libvirt_errors(what: str) -> Iterator[None]:
    """Turn libvirtError into LabError, or ConnectionLost where the daemon is to blame."""
    try:
        yield
    except libvirt.libvirtError as error:
        lost = error.get_error_domain() in {libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE}
        kind = ConnectionLost if lost or error.get_error_code() == libvirt.VIR_ERR_RPC else LabError
        raise kind(f"{what}: {error}") from error


@dataclass(slots=True, kw_only=True)
class Connection:
    """An open connection; `warnings` tells how often, and why, it had to be opened again."""

    uri: str
    handle: libvirt.virConnect
    warnings: list[str] = field(default_factory=list)
    _reopening: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, what: str, question: Callable[[libvirt.virConnect], T]) -> T:
        """The answer to what may be asked twice: if the daemon dies, its successor is asked.

        Raises ConnectionLost or WaitTimedOut if there is none, LabError for any other failure.
        """
        handle = self.handle
        try:
            with libvirt_errors(what):
                return question(handle)
        except ConnectionLost as error:
            self._reopen(handle, error)
        with libvirt_errors(what):
            return question(self.handle)

    def close(self) -> None:
        """Close it, broken or not."""
        with contextlib.suppress(libvirt.libvirtError):
            self.handle.close()

    def _reopen(self, broken: libvirt.virConnect, error: ConnectionLost) -> None:
        """Put a new handle in the place of `broken`, unless another thread has just done so."""
        with self._reopening:
            if self.handle is not broken:
                return
            self.close()
            self.handle = _open(self.uri, Deadline.after(REOPEN_LIMIT_S))
            self.warnings.append(f"libvirt went away and was found again: {error}")


def connect(uri: str, deadline: Deadline) -> Connection:
    """An open connection with keepalive; WaitTimedOut if nothing answers by the deadline."""
    start_event_loop()
    return Connection(uri=uri, handle=_open(uri, deadline))


def _open(uri: str, deadline: Deadline) -> libvirt.virConnect:
    def probe() -> libvirt.virConnect | None:
        try:
            return libvirt.open(uri)
        except libvirt.libvirtError as error:
            last_error.append(str(error))
            return None

    last_error: list[str] = []
    handle = wait_until(
        probe, f"libvirt at {uri}", deadline, last_seen=lambda: "".join(last_error[-1:])
    )
    handle.setKeepAlive(KEEPALIVE_INTERVAL_S, KEEPALIVE_COUNT)
    return handle
