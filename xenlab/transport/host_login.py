"""HostLogin: how a Xen host that is not of our making is entered: the user's key, a known host."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import paramiko

from xenlab.errors import ConnectionLost, Unavailable
from xenlab.transport.connection import SshConnection, assume_peer, blaming
from xenlab.transport.exchange import BROKEN
from xenlab.transport.handshake import LIMIT_S, SLACK_S, cut, explain
from xenlab.transport.pool import ConnectionPool
from xenlab.transport.ssh import SshShell
from xenlab.waiting import Deadline, ended_at


class Unreached(ConnectionLost):
    """Nothing answers at the host's SSH port, which is other than an answer that is a refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLogin:
    """A user at a host; the key's file and the file that the host's own key is known by.

    No agent, no password, no other key: what a topology does not name is not tried.
    """

    user: str
    host: str
    port: int
    identity: Path
    known_hosts: Path

    @property
    def where(self) -> str:
        """As errors name it."""
        return f"{self.user}@{self.host}:{self.port}"

    def connect(
        self, deadline: Deadline, require_peer: Callable[[], None] = assume_peer
    ) -> SshShell:
        """A shell there. Raises Unavailable for files that are missing, and LabErrors."""
        for path, what in ((self.identity, "private key"), (self.known_hosts, "known hosts")):
            if not path.is_file():
                raise Unavailable(f"{self.where}: there is no {what} at {path}")

        def dial(deadline: Deadline) -> SshConnection:
            with blaming(require_peer):
                client = self._log_in(deadline.at_most(LIMIT_S))
            return SshConnection(where=self.where, client=client, require_peer=require_peer)

        return SshShell(pool=ConnectionPool.open(self.where, dial, deadline))

    def _log_in(self, deadline: Deadline) -> paramiko.SSHClient:
        """One client that is logged in; what failed is raised with its reason, see handshake."""
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)
        client = paramiko.SSHClient()
        client.load_host_keys(str(self.known_hosts))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        stream = self._dial(deadline)
        limit_s = deadline.remaining_s + SLACK_S
        try:
            with ended_at(deadline, lambda: cut(client, stream)):
                client.connect(
                    self.host, self.port, self.user, sock=stream, allow_agent=False,
                    look_for_keys=False, key_filename=str(self.identity), timeout=limit_s,
                    banner_timeout=limit_s, auth_timeout=limit_s, channel_timeout=limit_s,
                )  # fmt: skip
        except BROKEN as error:
            failure = explain(self.where, client, error, deadline)
            cut(client, stream)
            raise failure from error
        return client

    def _dial(self, deadline: Deadline) -> socket.socket:
        try:
            limit_s = max(0.1, deadline.remaining_s)
            stream = socket.create_connection((self.host, self.port), timeout=limit_s)
        except OSError as error:
            raise Unreached(f"{self.where} is not to be reached: {error}") from error
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return stream
