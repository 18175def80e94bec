"""The argv of the real `ssh` program for a node: our key, the pinned host key, no settings."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from xenlab.transport.handshake import USER


def render_ssh_argv(
    node: str, port: int, key: Path, known_hosts: Path, proxy: str | None = None
) -> list[str]:
    """To dom0 by its forwarded port; to a domU by `proxy`, a command line in dom0.

    `known_hosts` has the host key under the node's name and under `dom0`.
    """
    if proxy is None:
        return _render(node, port, key, known_hosts)
    dom0 = shlex.join([*_render("dom0", port, key, known_hosts), proxy])
    return _render(node, port, key, known_hosts, f"ProxyCommand={escape_tokens(dom0)}")


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
