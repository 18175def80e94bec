"""The handshake: from a byte stream to an SSH session with the node that this lab booted."""

from __future__ import annotations

import base64
import logging
import socket

import paramiko

from xenlab.errors import ConnectionLost, LabError, WaitTimedOut
from xenlab.transport.exchange import BROKEN, leave
from xenlab.transport.keys import KEY_TYPE, SshKeys
from xenlab.waiting import Deadline, ended_at

USER = "root"
LIMIT_S = 30.0  # a server that takes longer to greet us is not busy but stuck
SLACK_S = 5.0


class AuthenticationRefused(LabError):
    """The node runs an SSH server that does not take our key."""


class HostKeyMismatch(LabError):
    """Whoever answered is not the node that this lab booted."""


def shake_hands(
    where: str, stream: socket.socket | paramiko.Channel, keys: SshKeys, deadline: Deadline
) -> paramiko.SSHClient:
    """A client that is logged in over `stream`; one of four errors, and the stream closed, if not.

    HostKeyMismatch, AuthenticationRefused, WaitTimedOut (nothing was said) or ConnectionLost.
    """
    # Every failure is raised here with its reason; paramiko would print it on stderr as well.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    client = paramiko.SSHClient()
    client.get_host_keys().add(where, KEY_TYPE, paramiko.Ed25519Key(data=_public_blob(keys)))
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    deadline = deadline.at_most(LIMIT_S)
    # One deadline ends all stages together; paramiko has a limit for each, which must not be first.
    limit_s = deadline.remaining_s + SLACK_S
    try:
        with ended_at(deadline, lambda: cut(client, stream)):
            client.connect(
                where, username=USER, sock=stream, allow_agent=False, look_for_keys=False,
                pkey=paramiko.Ed25519Key.from_private_key_file(str(keys.private_key)),
                timeout=limit_s, banner_timeout=limit_s, auth_timeout=limit_s,
                channel_timeout=limit_s,
            )  # fmt: skip
    except BROKEN as error:
        failure = explain(where, client, error, deadline)
        cut(client, stream)
        raise failure from error
    return client


def explain(
    where: str, client: paramiko.SSHClient, error: Exception, deadline: Deadline
) -> LabError:
    """What the failure of a connection means: one of the four errors of `shake_hands`."""
    if isinstance(error, paramiko.BadHostKeyException):
        return HostKeyMismatch(f"{where}: the host key is not this lab's: {error}")
    transport = client.get_transport()
    answers = transport is not None and transport.is_active()
    if isinstance(error, paramiko.AuthenticationException) and answers:
        return AuthenticationRefused(f"{where}: our key was refused: {error}")
    if deadline.expired:
        return WaitTimedOut(f"{where}: the SSH server did not answer in time")
    return ConnectionLost(f"{where}: no SSH session: {error}")


def cut(client: paramiko.SSHClient, stream: socket.socket | paramiko.Channel) -> None:
    """End a connection in whatever stage it is."""
    transport = client.get_transport()
    if transport is not None:
        leave(transport.close)
    leave(stream.close)


def _public_blob(keys: SshKeys) -> bytes:
    return base64.b64decode(keys.host_public_key.read_text().split()[1])
