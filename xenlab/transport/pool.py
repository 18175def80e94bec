"""ConnectionPool: the SSH connections to one node, with one command at a time on each.

dropbear 2022.82 to 2024.85 (Debian 12 has 2022.83) closes a channel whose command has not come yet
when another channel's command ends (mended by its pull request 326), and ends the whole connection
when that command comes then. Where nothing else runs on a connection, nothing can end meanwhile.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from xenlab.transport.connection import SshConnection
from xenlab.waiting import Deadline

Dial = Callable[[Deadline], SshConnection]


@dataclass(slots=True, kw_only=True)
class ConnectionPool:
    """Dials another connection when all there are have something to do."""

    where: str
    dial: Dial
    _all: list[SshConnection] = field(default_factory=list)
    _idle: list[SshConnection] = field(default_factory=list)
    _trunk: SshConnection | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _trunk_lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, where: str, dial: Dial, deadline: Deadline) -> ConnectionPool:
        """A pool with its first connection, which shows that the node answers."""
        pool = cls(where=where, dial=dial)
        pool.give_back(pool.take(deadline))
        return pool

    @property
    def connected(self) -> bool:
        """Whether all connections stand, as far as is known without asking."""
        return bool(self._all) and all(connection.connected for connection in self._all)

    @property
    def connections(self) -> tuple[SshConnection, ...]:
        """All that are open, whatever runs on them."""
        return tuple(self._all)

    def take(self, deadline: Deadline) -> SshConnection:
        """A connection on which nothing runs, until it is given back."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        dialled = self.dial(deadline)
        with self._lock:
            self._all.append(dialled)
        return dialled

    def give_back(self, connection: SshConnection) -> None:
        """What ran on it has ended, and said so."""
        with self._lock:
            self._idle.append(connection)

    def drop(self, connection: SshConnection) -> None:
        """End a connection on which something may still run: each costs its node memory."""
        with self._lock:
            self._all.remove(connection)
        connection.close()

    @contextlib.contextmanager
    def lend(self, deadline: Deadline) -> Iterator[SshConnection]:
        """A connection for one command; after a failure, when that may still run, for none."""
        connection = self.take(deadline)
        yield connection
        self.give_back(connection)

    def trunk(self, deadline: Deadline) -> SshConnection:
        """The connection for what runs as long as the pool itself: the streams to other nodes."""
        with self._trunk_lock:
            if self._trunk is None:
                self._trunk = self.take(deadline)
            return self._trunk

    def close(self) -> None:
        """End the connections, and with them what still runs there."""
        for connection in list(self._all):
            connection.close()
