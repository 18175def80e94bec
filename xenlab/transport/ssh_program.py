"""The argv of the real `ssh` program for a node: our key, the pinned host key, nobody's settings."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from xenlab.transport.handshake import USER
from xenlab.transport.ssh import render_vchan_argv


def render_ssh_argv(
    node: str, port: int, key: Path, known_hosts: Path, domid: int | None = None
) -> list[str]:
    """To dom0 by its forwarded port; to the domU of number `domid` through dom0 and its vchan.

    `known_hosts` has the host key under the node's name and under `dom0`.
    """
    if domid is None:
        return _render(node, port, key, known_hosts)
    dom0 = _render("dom0", port, key, known_hosts)
    proxy = shlex.join([*dom0, *(shlex.quote(word) for word in render_vchan_argv(domid))])
    return _render(node, port, key, known_hosts, f"ProxyCommand={escape_tokens(proxy)}")


def escape_tokens(text: str) -> str:
    """The text with ssh's own substitutions undone (ssh_config(5), TOKENS)."""
    return text.replace("%", "%%")


def _render(node: str, port: int, key: Path, known_hosts: Path, *further: str) -> list[str]:
    settings: Sequence[str] = (
        f"IdentityFile={_quote_path(key)}",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        f"UserKnownHostsFile={_quote_path(known_hosts)}",
        "GlobalKnownHostsFile=none",
        "StrictHostKeyChecking=yes",
        f"HostKeyAlias={node}",
        "PreferredAuthentications=publickey",
        "LogLevel=ERROR",
        *further,
    )
    options = [word for setting in settings for word in ("-o", setting)]
    return ["ssh", "-F", "none", "-p", str(port), "-l", USER, *options, "127.0.0.1"]


def _quote_path(path: Path) -> str:
    return f'"{escape_tokens(str(path))}"'
