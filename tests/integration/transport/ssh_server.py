"""SshServer: the real dropbear on this host's loopback, one process a client, as in a domU."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from xenlab.transport.exchange import Exchange
from xenlab.transport.keys import SshKeys
from xenlab.transport.process import which
from xenlab.waiting import Deadline, wait_until

# dropbear's largest window, and sockets that hold much less: whoever sends to one that no longer
# reads is stuck in the socket, not only before a closed window.
WINDOW_BYTES = 10 << 20
RECEIVE_BUFFER_BYTES = 1 << 16
STEADY_LOOKS = 10

# dropbear wants one socket for both directions, as it gets it in a domU from the vchan's end.
PIPE = """
import os, socket, subprocess, sys, threading
ours, theirs = socket.socketpair()
subprocess.Popen(ARGV, stdin=theirs, stdout=theirs)
theirs.close()
def feed():
    while data := os.read(0, 65536):
        ours.sendall(data)
    ours.shutdown(socket.SHUT_WR)
threading.Thread(target=feed, daemon=True).start()
while data := ours.recv(65536):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
"""


@dataclass(slots=True, kw_only=True)
class SshServer:
    """Listens from its making; `root` is whoever runs the tests, with a home of its own.

    root's shell is one that hands its place to the last command, as some shells do: a signal that
    kills the command then leaves nobody to tell its number.
    """

    keys: SshKeys
    folder: Path
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        home = self.folder / "home"
        (home / ".ssh").mkdir(mode=0o700, parents=True)
        self.authorize(self.keys.authorized_keys.read_text())
        (home / ".bashrc").write_text("PATH=$HOME/bin:$PATH\n")
        passwd = f"root:x:{os.getuid()}:{os.getgid()}::{home}:/bin/bash\n"
        (self.folder / "passwd").write_text(passwd)
        # dropbear sets it on sockets that it accepts itself; here it comes down from the listener.
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def _dropbear(self) -> list[str]:
        argv = [which("dropbear"), "-i", "-s", "-j", "-k", "-r", str(self.keys.host_key)]
        return [*argv, "-W", str(WINDOW_BYTES)]

    def authorize(self, line: str) -> None:
        """Let in the key of this line alone."""
        (self.folder / "home/.ssh/authorized_keys").write_text(line)

    def install(self, program: str, script: str) -> None:
        """Put a program on the PATH of whoever logs in; its first line names its interpreter."""
        path = self.folder / "home/bin" / program
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def render_pipe(self) -> str:
        """A program that serves one more client on its standard input and output."""
        return f"#!{sys.executable}\nARGV = {self._dropbear}\n{PIPE}"

    def signal(self, number: signal.Signals) -> None:
        """Signal every server process, but not the commands that they run."""
        for server in self._servers:
            for child in _children(server.pid):
                os.kill(child, number)

    def get_stuck(self, exchange: Exchange) -> None:
        """Freeze, with somebody who sends to a command in the middle of a packet."""
        self.signal(signal.SIGSTOP)
        channel = exchange.channel
        threading.Thread(target=exchange._feed, args=(bytes(WINDOW_BYTES),)).start()
        windows: list[int] = []

        def is_stuck() -> bool:
            windows.append(channel.out_window_size)
            return len(windows) > STEADY_LOOKS and len(set(windows[-STEADY_LOOKS:])) == 1

        wait_until(is_stuck, "the sender to be stuck", Deadline.after(10))

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for server in self._servers:
            with server:
                server.kill()

    def _serve(self) -> None:
        argv = [which("bwrap"), "--dev-bind", "/", "/", "--die-with-parent"]
        argv += ["--bind", str(self.folder / "passwd"), "/etc/passwd"]
        argv += self._dropbear
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, (self.folder / "log").open("ab") as log:
                self._servers.append(
                    subprocess.Popen(
                        argv,
                        stdin=client.fileno(),
                        stdout=client.fileno(),
                        stderr=log,
                        start_new_session=True,
                    )
                )


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
