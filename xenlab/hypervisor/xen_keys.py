"""Xen keys: pressed on a machine's serial port, for when there is no dom0 that could press them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from xenlab.waiting import Deadline

T = TypeVar("T")

# Whose the input is, Xen's or dom0's, changes with three of them (`conswitch`, ctrl-a as it comes:
# xen/drivers/char/console.c, switch_serial_input).
SWITCH = b"\x01\x01\x01"
CHUNK_BYTES = 65536


def press_key(
    port: Path, key: str, read: Callable[[bytes], T | None], deadline: Deadline
) -> T | None:
    """What Xen says to one of its debug keys, as `read` makes it out; None where it tells nothing.

    `port` is the socket of the serial port, `read` gets all that came there so far. What comes is
    taken at once: QEMU waits for who is connected, byte by byte, and its log with it.
    """
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.settimeout(deadline.remaining_s)
            line.connect(str(port))
            line.sendall(SWITCH + key.encode())
            found = _listen(line, read, deadline)
            line.sendall(SWITCH)
        except OSError:
            return None
    return found


def _listen(line: socket.socket, read: Callable[[bytes], T | None], deadline: Deadline) -> T | None:
    said = b""
    while not deadline.expired:
        line.settimeout(deadline.remaining_s)
        try:
            chunk = line.recv(CHUNK_BYTES)
        except TimeoutError:
            return None
        said += chunk
        found = read(said)
        if found is not None or not chunk:
            return found
    return None
