"""Streaming: a remote command joined to our own standard streams, byte for byte, both ways."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import paramiko

from xenlab.transport.exchange import BROKEN, CHUNK_BYTES, Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """File descriptors: what the command reads, and where its two outputs go."""

    stdin: int = 0
    stdout: int = 1
    stderr: int = 2


def join_streams(exchange: Exchange, streams: Streams) -> int:
    """Move bytes until the command ends; its exit status.

    Each direction has a thread of its own, so that none waits for another. Raises BrokenPipeError
    when nobody reads our output any more.
    """
    channel = exchange.channel
    _start(_feed, channel, streams.stdin)
    for descriptor, early in ((streams.stdout, exchange.stdout), (streams.stderr, exchange.stderr)):
        _write(descriptor, bytes(early))
        early.clear()
    errors = _start(_drain, channel.recv_stderr, streams.stderr)
    while chunk := _receive(channel.recv):
        _write(streams.stdout, chunk)
    errors.join()
    return exchange.read_status()


def _start(work: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, name="stream", daemon=True)
    thread.start()
    return thread


def _feed(channel: paramiko.Channel, descriptor: int) -> None:
    """Send all that comes, and the end; a command that has stopped reading ends this alone."""
    with suppress(*BROKEN):  # a closed descriptor has nothing to say either
        while chunk := os.read(descriptor, CHUNK_BYTES):
            channel.sendall(chunk)
    with suppress(*BROKEN):
        channel.shutdown_write()


def _drain(receive: Callable[[int], bytes], descriptor: int) -> None:
    """Pass on all that comes; what nobody reads is thrown away, for the command must not block."""
    while chunk := _receive(receive):
        with suppress(OSError):
            _write(descriptor, chunk)


def _receive(receive: Callable[[int], bytes]) -> bytes:
    """The next bytes, none at their end; a connection that broke has the same, and no status."""
    with suppress(*BROKEN):  # receiving sends acknowledgements
        return receive(CHUNK_BYTES)
    return b""


def _write(descriptor: int, data: bytes) -> None:
    unwritten = memoryview(data)
    while unwritten:
        unwritten = unwritten[os.write(descriptor, unwritten) :]
