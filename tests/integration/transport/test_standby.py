"""The line to a node that stands by: what it answers, and what ends it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from xenlab.errors import CommandFailed, ConnectionLost, WaitTimedOut
from xenlab.transport.standby import StandbyLine, open_standby
from xenlab.waiting import Deadline


class Port:
    """QEMU's end of a virtio port: takes one host, and says what it is told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked = b""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._host: socket.socket | None = None

    def close(self) -> None:
        self._listener.close()
        if self._host is not None:
            self._host.close()

    def answer(self, *pieces: bytes, hang_up: bool = False) -> None:
        threading.Thread(target=self._serve, args=(pieces, hang_up), daemon=True).start()

    def _serve(self, pieces: tuple[bytes, ...], hang_up: bool) -> None:
        self._host, _ = self._listener.accept()
        self.asked = self._host.recv(4096)
        for piece in pieces:
            self._host.sendall(piece)
        if hang_up:
            self._host.close()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Port]:
    with closing(Port(tmp_path / "s")) as port:
        yield port


@pytest.fixture
def line(port: Port) -> Iterator[StandbyLine]:
    with open_standby("alice", port.path, Deadline.after(5)) as line:
        yield line


def test_answer_in_pieces_is_read_whole(port: Port, line: StandbyLine) -> None:
    port.answer(b"ok 6.1", b".0-56", b"-amd64 \n")
    assert line.ask("read", "/file", deadline=Deadline.after(5)) == "6.1.0-56-amd64"
    assert port.asked == b"read /file\n"


def test_what_a_node_could_not_do_is_said(port: Port, line: StandbyLine) -> None:
    port.answer(b"failed ping 10.0.0.1: no answer\n")
    with pytest.raises(CommandFailed, match=r"alice: standby `ping` failed: ping .* no answer"):
        line.ask("ping", "10.0.0.1", deadline=Deadline.after(5))


def test_other_answer_than_ok_is_no_success(port: Port, line: StandbyLine) -> None:
    port.answer(b"okay\n")
    with pytest.raises(CommandFailed):
        line.ask("ping", "10.0.0.1", deadline=Deadline.after(5))


def test_half_an_answer_is_waited_for_until_the_deadline(port: Port, line: StandbyLine) -> None:
    port.answer(b"ok ")
    with pytest.raises(WaitTimedOut, match="alice: standby `awaken` got no answer in time"):
        line.ask("awaken", deadline=Deadline.after(0.2))


def test_machine_that_dies_breaks_the_line(port: Port, line: StandbyLine) -> None:
    port.answer(b"ok ", hang_up=True)
    with pytest.raises(ConnectionLost, match="the line broke after b'ok '"):
        line.ask("awaken", deadline=Deadline.after(5))


def test_machine_without_the_port_is_a_lost_connection(tmp_path: Path) -> None:
    with (
        pytest.raises(ConnectionLost, match=r"bob: .*nothing"),
        open_standby("bob", tmp_path / "nothing", Deadline.after(1)),
    ):
        pass
