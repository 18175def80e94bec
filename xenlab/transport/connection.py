"""SshConnection: one SSH session that is logged in; nothing on it can hold us beyond a deadline."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import paramiko

from xenlab.errors import ConnectionLost, WaitTimedOut
from xenlab.transport import standing
from xenlab.transport.exchange import BROKEN, Exchange, leave
from xenlab.transport.standing import StandingShell
from xenlab.waiting import Deadline, ended_at

GRACE_S = 1.0
# What a node may say before it waits for us. We take all of it at once; a window that is so wide
# needs no message while a command ends, which could meet another channel (see NO_INPUT).
WINDOW_BYTES = 400 << 20


def assume_peer() -> None:
    """The check of a peer of which nothing is known: all is well."""


@dataclass(slots=True, kw_only=True)
class SshConnection:
    """The session and what it reaches.

    `require_peer` is asked when the connection fails: it raises GuestLost if the guest is gone.
    """

    where: str
    client: paramiko.SSHClient
    require_peer: Callable[[], None] = assume_peer
    _standing: StandingShell | None = field(default=None, init=False)

    @property
    def connected(self) -> bool:
        """Whether it stands, as far as is known without asking."""
        transport = self.client.get_transport()
        return transport is not None and transport.is_active()

    @contextlib.contextmanager
    def watch(self, deadline: Deadline) -> Iterator[None]:
        """Do something on the connection, which is cut if that is stuck beyond its deadline.

        A peer that no longer reads fills every buffer on the way; whoever sends then waits for
        ever, and so does whoever wants to send an acknowledgement behind it.
        """
        with blaming(self.require_peer), ended_at(deadline.later(GRACE_S), self._cut):
            yield

    def standing_shell(self, deadline: Deadline) -> StandingShell:
        """The shell that stays on this connection, started on first use."""
        if self._standing is None:
            exchange = self.begin_exchange(standing.START, standing.START, deadline)
            self._standing = StandingShell(exchange=exchange)
        return self._standing

    def begin_exchange(self, what: str, line: str, deadline: Deadline) -> Exchange:
        """A new channel on which the remote shell runs `line`, the command `what`."""
        exchange = self.open_exchange(what, deadline)
        try:
            exchange.begin(line, deadline)
        except BaseException:
            exchange.close()
            raise
        return exchange

    def open_exchange(self, what: str, deadline: Deadline) -> Exchange:
        """A new channel for the command `what`, which is yet to begin."""
        transport = self.client.get_transport()
        if transport is None or not self.connected:
            raise ConnectionLost(f"{self.where}: the SSH connection is closed")
        try:
            channel = transport.open_session(
                window_size=WINDOW_BYTES, timeout=max(0.1, deadline.remaining_s)
            )
        except BROKEN as error:
            if deadline.expired:
                raise WaitTimedOut(f"{self.where}: the SSH server does not answer") from error
            raise ConnectionLost(f"{self.where}: no new SSH channel: {error}") from error
        return Exchange(channel=channel, where=self.where, what=what)

    def close(self) -> None:
        """End the connection, and with it what still runs on it."""
        leave(self.client.close)

    def _cut(self) -> None:
        transport = self.client.get_transport()
        if transport is not None:
            leave(transport.close)


@contextlib.contextmanager
def blaming(require_peer: Callable[[], None]) -> Iterator[None]:
    """What breaks inside is told as GuestLost where the guest is to blame."""
    try:
        yield
    except (ConnectionLost, WaitTimedOut):
        require_peer()
        raise
