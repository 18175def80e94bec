"""A private libvirtd in its sandbox, as a lab has it, and directories that are the tests' own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from xenlab.hypervisor.connection import Connection, connect
from xenlab.hypervisor.daemon import LibvirtDaemon
from xenlab.hypervisor.daemon_user import DaemonUser
from xenlab.hypervisor.sandbox import Sandbox
from xenlab.registry.errand import open_errand
from xenlab.registry.places import runtime_root
from xenlab.registry.sweep import sweep_dead_labs
from xenlab.waiting import Deadline


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """State, cache and run directories apart from those of the user's labs."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("STATE", "CACHE"):
            patch.setenv(f"XDG_{name}_HOME", str(tmp_path_factory.mktemp(name.lower())))
        yield
        sweep_dead_labs()
        with contextlib.suppress(FileNotFoundError):
            runtime_root().rmdir()


@contextlib.contextmanager
def open_daemon() -> Iterator[LibvirtDaemon]:
    """What a libvirtd needs, ready for its start."""
    with open_errand("test") as (errand_id, places):
        places.logs.mkdir(mode=0o711)
        DaemonUser.choose().own(places.logs)
        yield LibvirtDaemon(places=places, lab_id=errand_id)


@pytest.fixture(scope="module")
def daemon(homes: None) -> Iterator[LibvirtDaemon]:
    with open_daemon() as daemon:
        yield daemon


@pytest.fixture(scope="module")
def sandbox(daemon: LibvirtDaemon) -> Iterator[Sandbox]:
    sandbox = daemon.start(kvm=None, dies_with_us=True)
    try:
        yield sandbox
    finally:
        sandbox.stop(Deadline.after(10))


@pytest.fixture
def connection(daemon: LibvirtDaemon, sandbox: Sandbox) -> Iterator[Connection]:
    connection = connect(daemon.uri, Deadline.after(30))
    yield connection
    connection.close()


@pytest.fixture
def goldens() -> Path:
    return Path(__file__).parents[2] / "unit/hypervisor/golden"
