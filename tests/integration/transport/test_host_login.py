"""Entering a host that is not of our making: by the named key, and only if the host is known."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.transport.ssh_server import SshServer
from xenlab.errors import ConnectionLost, Unavailable
from xenlab.transport.handshake import AuthenticationRefused, HostKeyMismatch
from xenlab.transport.host_login import HostLogin, Unreached
from xenlab.transport.keys import SshKeys, generate_keys
from xenlab.waiting import Deadline

SOON_S = 20.0


@pytest.fixture
def login(server: SshServer, keys: SshKeys, tmp_path: Path) -> HostLogin:
    return HostLogin(
        user="root",
        host="127.0.0.1",
        port=server.port,
        identity=keys.private_key,
        known_hosts=write_known(tmp_path, server.port, keys),
    )


def write_known(folder: Path, port: int, keys: SshKeys) -> Path:
    path = folder / "known_hosts"
    path.write_text(f"[127.0.0.1]:{port} {keys.host_public_key.read_text()}")
    return path


def enter(login: HostLogin) -> str:
    deadline = Deadline.after(SOON_S)
    with closing(login.connect(deadline)) as shell:
        return shell.run(["echo", "here"], deadline=deadline).require_success().text


def test_known_host_is_entered_by_the_named_key(login: HostLogin) -> None:
    assert enter(login) == "here\n"


def test_host_that_nobody_knows_is_refused(login: HostLogin, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text("")
    with pytest.raises(ConnectionLost, match="not found in known_hosts") as refused:
        enter(login)
    assert not isinstance(refused.value, Unreached)


def test_host_with_another_key_than_the_known_one_is_refused(
    login: HostLogin, tmp_path: Path
) -> None:
    write_known(tmp_path, login.port, generate_keys(tmp_path / "others"))
    with pytest.raises(HostKeyMismatch):
        enter(login)


def test_key_that_the_host_does_not_take_is_told_apart(login: HostLogin, tmp_path: Path) -> None:
    stranger = generate_keys(tmp_path / "others").private_key
    with pytest.raises(AuthenticationRefused):
        enter(replace(login, identity=stranger))


def test_port_where_nothing_listens_and_a_key_that_is_not_there(
    login: HostLogin, tmp_path: Path
) -> None:
    with pytest.raises(Unreached):
        enter(replace(login, port=1))
    with pytest.raises(Unavailable, match="no private key at"):
        enter(replace(login, identity=tmp_path / "nothing"))
