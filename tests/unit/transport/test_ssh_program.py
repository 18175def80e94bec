"""The argv of the `ssh` program takes our key and the pinned host key, and nobody's settings."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path

from xenlab.transport.ssh_program import render_ssh_argv

KEY, KNOWN_HOSTS = Path("/s/50%/id"), Path("/s/a b/known_hosts")


def settings(argv: list[str]) -> dict[str, str]:
    """The settings of `-o`."""
    given = [value for name, value in pairwise(argv) if name == "-o"]
    return dict(value.split("=", 1) for value in given)


def test_host_key_is_pinned_under_the_nodes_name_and_no_other_file_is_read() -> None:
    argv = render_ssh_argv("dom0", 2222, KEY, KNOWN_HOSTS)

    assert argv[:5] == ["ssh", "-F", "none", "-p", "2222"]
    assert argv[-1] == "127.0.0.1"
    given = settings(argv)
    assert given["HostKeyAlias"] == "dom0"
    assert given["StrictHostKeyChecking"] == "yes"
    assert given["GlobalKnownHostsFile"] == "none"
    assert given["IdentityAgent"] == "none"


def test_paths_keep_their_blanks_and_percent_signs() -> None:
    given = settings(render_ssh_argv("dom0", 2222, KEY, KNOWN_HOSTS))

    assert given["IdentityFile"] == '"/s/50%%/id"'
    assert given["UserKnownHostsFile"] == '"/s/a b/known_hosts"'


def test_domu_is_reached_by_a_command_in_dom0() -> None:
    argv = render_ssh_argv("alice", 2222, KEY, KNOWN_HOSTS, "vchan-pipe connect 1")

    assert settings(argv)["HostKeyAlias"] == "alice"
    # ssh replaces %% once for the line, then the inner ssh once for its own setting.
    inner = shlex.split(settings(argv)["ProxyCommand"].replace("%%", "%"))
    assert inner == [*render_ssh_argv("dom0", 2222, KEY, KNOWN_HOSTS), "vchan-pipe connect 1"]
