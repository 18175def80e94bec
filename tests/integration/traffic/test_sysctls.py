"""Sysctls, of a network namespace: set, read back, and put back as they were."""

from __future__ import annotations

import pytest

from tests.integration.traffic.namespace_lab import NamespaceLab
from tests.integration.traffic.namespace_shell import NamespaceShell
from xenlab.errors import CommandFailed, LabError
from xenlab.guest.sysctl import sysctls_set
from xenlab.waiting import Deadline

BUFFERS = "net/ipv4/tcp_wmem"  # three numbers, with tabs between
LOG = "net/ipv4/tcp_tso_rtt_log"


def read(shell: NamespaceShell, name: str) -> list[str]:
    return shell.run(["cat", f"/proc/sys/{name}"], deadline=Deadline.after(10)).text.split()


@pytest.fixture
def shell(lab: NamespaceLab) -> NamespaceShell:
    return lab.shell("alice")


def test_values_are_set_and_put_back_also_after_a_failure(shell: NamespaceShell) -> None:
    before = read(shell, BUFFERS), read(shell, LOG)
    values = {BUFFERS: "4096 16384 65536", LOG: "20"}

    def fail_inside() -> None:
        with sysctls_set(shell, values, Deadline.after(10)):
            assert (read(shell, BUFFERS), read(shell, LOG)) == (["4096", "16384", "65536"], ["20"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert (read(shell, BUFFERS), read(shell, LOG)) == before


def test_value_that_is_not_taken_is_told_and_the_others_are_put_back(shell: NamespaceShell) -> None:
    before = read(shell, LOG)
    for unfit, error in (({BUFFERS: "x"}, CommandFailed), ({BUFFERS: "4096"}, LabError)):
        with (
            pytest.raises(error),
            sysctls_set(shell, {LOG: "20"} | unfit, Deadline.after(10)),
        ):
            raise AssertionError
        assert read(shell, LOG) == before
