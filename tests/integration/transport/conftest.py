"""An SSH server with a lab's keys, and a shell on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.transport.ssh_server import SshServer
from xenlab.transport.keys import SshKeys, generate_keys
from xenlab.transport.ssh import SshShell
from xenlab.waiting import Deadline


@pytest.fixture
def keys(tmp_path: Path) -> SshKeys:
    return generate_keys(tmp_path / "keys")


@pytest.fixture
def server(keys: SshKeys, tmp_path: Path) -> Iterator[SshServer]:
    with closing(SshServer(keys=keys, folder=tmp_path / "server")) as server:
        yield server


@pytest.fixture
def shell(server: SshServer, keys: SshKeys) -> Iterator[SshShell]:
    with closing(SshShell.connect_tcp("dom0", server.port, keys, Deadline.after(10))) as shell:
        yield shell
